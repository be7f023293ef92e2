#include "examples/common/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "examples/common/host.h"

static const option_slot* find_slot(const option_slot* slots, const char* argument, size_t name_length) {
  for (; slots->name != NULL; ++slots) {
    if (strlen(slots->name) == name_length && strncmp(slots->name, argument, name_length) == 0) return slots;
  }
  return NULL;
}

static int has_all_required(const option_slot* slots) {
  for (; slots->name != NULL; ++slots) {
    if (slots->is_required && *slots->value == NULL) {
      host_complain("%s is missing; --help tells more", slots->name);
      return 0;
    }
  }
  return 1;
}

int options_read(int num_arguments, char** arguments, const option_slot* slots) {
  int i = 0;
  while (i < num_arguments && arguments[i][0] == '-' && arguments[i][1] != '\0') {
    const char* argument = arguments[i++];
    if (strcmp(argument, "--") == 0) break;
    const size_t name_length = strcspn(argument, "=");
    const option_slot* slot = find_slot(slots, argument, name_length);
    if (slot == NULL) {
      host_complain("%.*s is not an option; --help shows them", (int)name_length, argument);
      return -1;
    }
    if (argument[name_length] == '=') {
      *slot->value = argument + name_length + 1;
    } else if (i < num_arguments) {
      *slot->value = arguments[i++];
    } else {
      host_complain("%s needs a value", slot->name);
      return -1;
    }
  }
  return has_all_required(slots) ? i : -1;
}

int option_number(unsigned long* out, const char* name, const char* text, unsigned long min, unsigned long max) {
  char* end = NULL;
  errno = 0;
  *out = strtoul(text, &end, 10);
  const int is_number = text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0;
  if (is_number && *out >= min && *out <= max) return 1;
  host_complain("%s must be a number from %lu to %lu, not \"%s\"", name, min, max, text);
  return 0;
}
