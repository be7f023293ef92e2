#define _POSIX_C_SOURCE 200809L
#include "examples/oem_gateway/sampler.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* lines is the text that grows. */
typedef struct lines {
  char* text;
  size_t length;
  size_t max;
  unsigned left_out;
} lines;

enum {
  NAME_SIZE = 96,
  LAST_LINE_SIZE = 32 /* room kept for the line that counts what was left out */
};

__attribute__((format(printf, 2, 3))) static void add_line(lines* sample, const char* format, ...) {
  char line[NAME_SIZE + 64];
  va_list arguments;
  va_start(arguments, format);
  const int length = vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  if (length < 0 || (size_t)length >= sizeof line || sample->length + (size_t)length + 1 > sample->max) {
    ++sample->left_out;
    return;
  }
  memcpy(sample->text + sample->length, line, (size_t)length);
  sample->length += (size_t)length;
  sample->text[sample->length++] = '\n';
}

/* read_line reads the first line of a small file, without its end. */
static int read_line(char* out, size_t size, const char* path) {
  FILE* file = fopen(path, "r");
  if (file == NULL) return 0;
  const int have = fgets(out, (int)size, file) != NULL;
  (void)fclose(file); /* was only read */
  if (have) out[strcspn(out, "\n")] = '\0';
  return have;
}

/* clean makes a name of the kernel's one word. */
static void clean(char* name) {
  for (; *name != '\0'; ++name) {
    const int is_plain =
        (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') || (*name >= '0' && *name <= '9');
    if (!is_plain && strchr("-_.@", *name) == NULL) *name = '_';
  }
}

static void add_time(lines* sample) {
  const time_t now = time(NULL);
  struct tm parts;
  char text[32];
  if (gmtime_r(&now, &parts) != NULL && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts) > 0) {
    add_line(sample, "time %s", text);
  }
}

/* NOLINTBEGIN(cert-err34-c): the numbers are the kernel's own, and fit */
static void add_uptime(lines* sample) {
  double seconds = 0;
  char line[128];
  if (read_line(line, sizeof line, "/proc/uptime") && sscanf(line, "%lf", &seconds) == 1) {
    add_line(sample, "uptime.seconds %.2f", seconds);
  }
}

static void add_load(lines* sample) {
  double one = 0, five = 0, fifteen = 0;
  unsigned running = 0, all = 0;
  char line[128];
  if (!read_line(line, sizeof line, "/proc/loadavg")) return;
  if (sscanf(line, "%lf %lf %lf %u/%u", &one, &five, &fifteen, &running, &all) != 5) return;
  add_line(sample, "load.1min %.2f", one);
  add_line(sample, "load.5min %.2f", five);
  add_line(sample, "load.15min %.2f", fifteen);
  add_line(sample, "processes.running %u", running);
  add_line(sample, "processes.all %u", all);
}

static void add_memory(lines* sample) {
  static const char* const kWanted[] = {"MemTotal", "MemFree", "MemAvailable", "Cached", "SwapTotal", "SwapFree"};
  FILE* file = fopen("/proc/meminfo", "r");
  if (file == NULL) return;
  char line[128], name[64];
  uint64_t kilobytes = 0;
  while (fgets(line, sizeof line, file) != NULL) {
    if (sscanf(line, "%63[^:]: %" SCNu64, name, &kilobytes) != 2) continue;
    for (size_t i = 0; i < sizeof kWanted / sizeof kWanted[0]; ++i) {
      if (strcmp(name, kWanted[i]) == 0) add_line(sample, "memory.%s.kb %" PRIu64, name, kilobytes);
    }
  }
  (void)fclose(file);
}

static void add_thermal_zone(lines* sample, const char* zone) {
  char path[512], type[64], value[64];
  long milli_degrees = 0;
  snprintf(path, sizeof path, "/sys/class/thermal/%s/temp", zone);
  if (!read_line(value, sizeof value, path) || sscanf(value, "%ld", &milli_degrees) != 1) return;
  snprintf(path, sizeof path, "/sys/class/thermal/%s/type", zone);
  if (!read_line(type, sizeof type, path)) snprintf(type, sizeof type, "unknown");
  clean(type);
  add_line(sample, "thermal.%.16s.%s.celsius %.1f", zone + strlen("thermal_"), type, (double)milli_degrees / 1000.0);
}

static void add_thermal(lines* sample) {
  DIR* folder = opendir("/sys/class/thermal");
  if (folder == NULL) return;
  const struct dirent* entry;
  while ((entry = readdir(folder)) != NULL) {
    if (strncmp(entry->d_name, "thermal_zone", strlen("thermal_zone")) == 0) add_thermal_zone(sample, entry->d_name);
  }
  closedir(folder);
}

static void add_network(lines* sample) {
  FILE* file = fopen("/proc/net/dev", "r");
  if (file == NULL) return;
  char line[512], name[64];
  uint64_t rx_bytes, rx_packets, tx_bytes, tx_packets;
  while (fgets(line, sizeof line, file) != NULL) {
    if (sscanf(line, " %63[^:]: %" SCNu64 " %" SCNu64 " %*s %*s %*s %*s %*s %*s %" SCNu64 " %" SCNu64, name, &rx_bytes,
               &rx_packets, &tx_bytes, &tx_packets) != 5) {
      continue;
    }
    clean(name);
    add_line(sample, "network.%s.rx.bytes %" PRIu64, name, rx_bytes);
    add_line(sample, "network.%s.rx.packets %" PRIu64, name, rx_packets);
    add_line(sample, "network.%s.tx.bytes %" PRIu64, name, tx_bytes);
    add_line(sample, "network.%s.tx.packets %" PRIu64, name, tx_packets);
  }
  (void)fclose(file);
}
/* NOLINTEND(cert-err34-c) */

size_t sample_machine(char* out, size_t max) {
  lines sample = {out, 0, max < LAST_LINE_SIZE ? 0 : max - LAST_LINE_SIZE, 0};
  add_time(&sample);
  add_uptime(&sample);
  add_load(&sample);
  add_memory(&sample);
  add_thermal(&sample);
  add_network(&sample);
  sample.max = max;
  if (sample.left_out > 0) add_line(&sample, "lines.left.out %u", sample.left_out);
  return sample.length;
}
