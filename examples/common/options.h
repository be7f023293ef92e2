#pragma once

/* "--name VALUE" and "--name=VALUE" options, then the rest. */
#ifdef __cplusplus
extern "C" {
#endif

typedef struct option_slot {
  const char* name;   /* with its dashes */
  const char** value; /* filled when the option is there; NULL before: the option is missing */
  int is_required;
} option_slot;

/* options_read fills the slots from arguments[0] on and returns the index of the first argument that is no option ("-"
 * is none, "--" ends them), or -1 after it said on standard error what is wrong. `slots` ends with a NULL name. */
int options_read(int num_arguments, char** arguments, const option_slot* slots);

/* option_number reads a decimal number from min to max. Returns 1, or 0 after it said what is wrong. */
int option_number(unsigned long* out, const char* name, const char* text, unsigned long min, unsigned long max);

#ifdef __cplusplus
}
#endif
