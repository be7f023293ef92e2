/* The reference backend: opens what the gateways sent. It has a crypto service of its own, with the key pair that the
 * gateways encapsulate to.
 *
 * Read open_envelope.c first: it has every check, in order. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "examples/backend/open_envelope.h"
#include "examples/common/options.h"
#include "examples/common/service.h"
#include "examples/envelope/fingerprint.h"

static const char kHelp[] =
    "usage: backend key   --public-key FILE [--socket PATH]\n"
    "       backend trust --state DIR --sender NAME --public-key FILE [--socket PATH]\n"
    "       backend open  --state DIR --out DIR [--socket PATH] ENVELOPE...\n"
    "\n"
    "key    makes the backend's ML-KEM-768 key pair in the crypto service, once, and writes its public key to FILE.\n"
    "trust  takes envelopes of sender NAME, signed with the ML-DSA-65 key in FILE, from then on.\n"
    "open   verifies and decrypts envelopes and writes what is in them to DIR/NAME-NUMBER.data. Refuses what was\n"
    "       changed, is for somebody else, comes from somebody unknown or was accepted before.\n"
    "\n"
    "--state DIR    remembers the last sequence number of each sender\n"
    "--socket PATH  the crypto service (default: the library's)\n"
    "\n"
    "Exit status: 0 all done, 1 something failed or was refused, 2 wrong usage, 3 no connection to the service.\n";

typedef struct settings {
  const char *socket, *state, *out, *sender, *public_key;
} settings;

static int run_key(const settings* set, backend* work) {
  char fingerprint[FINGERPRINT_TEXT_SIZE];
  int is_new = 0;
  if (!identity_make(work->session, &work->self, &is_new)) return EXIT_FAILED;
  if (!host_write_file(set->public_key, work->self.public_key, sizeof work->self.public_key)) return EXIT_FAILED;
  fingerprint_text(fingerprint, work->self.fingerprint);
  printf("ML-KEM-768 key pair %u (SHA-256 %s...), %s\n", work->self.key_id, fingerprint,
         is_new ? "made now" : "there already");
  return EXIT_DONE;
}

static int run_trust(const settings* set, backend* work) {
  uint8_t public_key[WVDS_MLDSA_PUBLIC_KEY_SIZE(WVDS_MLDSA_65)];
  size_t length = 0;
  if (!host_read_file(public_key, &length, sizeof public_key, set->public_key)) return EXIT_FAILED;
  if (length != sizeof public_key) {
    host_complain("%s: is no ML-DSA-65 public key: %zu bytes, not %zu", set->public_key, length, sizeof public_key);
    return EXIT_FAILED;
  }
  if (!sender_trust(work->session, set->sender, public_key, length, set->state)) return EXIT_FAILED;
  printf("envelopes of %s are accepted\n", set->sender);
  return EXIT_DONE;
}

/* release writes the content where the backend's other programs take it from. */
static int release(const char* folder, const opened* message, const char* envelope) {
  char name[ENVELOPE_MAX_SENDER + 32], path[HOST_MAX_PATH];
  const envelope_header* header = &message->header;
  snprintf(name, sizeof name, "%s-%012" PRIu64 ".data", header->sender, header->sequence);
  if (!host_join(path, folder, name) || !host_write_file(path, message->data, message->data_len)) return EXIT_FAILED;
  printf("opened   %s: %s, number %" PRIu64 ", part %" PRIu32 "%s, %zu bytes -> %s\n", envelope, header->sender,
         header->sequence, header->part, header->is_last_part ? " (last)" : "", message->data_len, name);
  if (message->missing > 0) printf("missing  %" PRIu64 " envelopes before it\n", message->missing);
  return EXIT_DONE;
}

static int open_file(const settings* set, const backend* work, const char* path) {
  static uint8_t bytes[ENVELOPE_MAX_SIZE + 1]; /* one more, so that a longer file is refused by its length */
  static opened message;
  size_t length = 0;
  const char* slash = strrchr(path, '/');
  const char* name = slash == NULL ? path : slash + 1;
  if (!host_read_file(bytes, &length, sizeof bytes, path)) return EXIT_FAILED;
  const open_result result = open_envelope(work, &message, bytes, length);
  if (result != OPEN_DONE) {
    printf("refused  %s: %s\n", name, open_result_text(result));
    return EXIT_FAILED;
  }
  const int released = release(set->out, &message, name);
  memset(&message, 0, sizeof message);
  return released;
}

static int run_open(const settings* set, backend* work, int num_files, char** files) {
  int worst = EXIT_DONE;
  if (!host_make_folder(set->out) || !identity_load(work->session, &work->self)) return EXIT_FAILED;
  for (int i = 0; i < num_files; ++i) {
    const int result = open_file(set, work, files[i]);
    if (result != EXIT_DONE) worst = result;
  }
  return worst;
}

typedef enum command { COMMAND_NONE, COMMAND_KEY, COMMAND_TRUST, COMMAND_OPEN } command;

static command command_of(const char* word) {
  if (word == NULL) return COMMAND_NONE;
  if (strcmp(word, "key") == 0) return COMMAND_KEY;
  if (strcmp(word, "trust") == 0) return COMMAND_TRUST;
  return strcmp(word, "open") == 0 ? COMMAND_OPEN : COMMAND_NONE;
}

/* check refuses what the options' form can't. */
static int check(const settings* set, command what, int num_files, char** files) {
  if (what != COMMAND_OPEN && num_files > 0) {
    host_complain("%s: only \"open\" takes files", files[0]);
  } else if (what == COMMAND_OPEN && num_files == 0) {
    host_complain("\"open\" needs the envelopes to open");
  } else if (what == COMMAND_TRUST && !envelope_sender_is_valid(set->sender)) {
    host_complain("--sender must be 1 to 32 letters, digits, '-', '_' or '.', and begin with a letter or digit");
  } else {
    return 1;
  }
  return 0;
}

static int run(const settings* set, command what, int num_files, char** files) {
  static backend work;
  if (set->state != NULL && (!host_make_folder(set->state) || !host_lock_folder(set->state))) return EXIT_FAILED;
  work.state = set->state;
  work.session = service_connect(set->socket);
  if (work.session == NULL) return EXIT_NO_SERVICE;
  int result = EXIT_FAILED;
  if (what == COMMAND_KEY) result = run_key(set, &work);
  if (what == COMMAND_TRUST) result = run_trust(set, &work);
  if (what == COMMAND_OPEN) result = run_open(set, &work, num_files, files);
  wvds_disconnect(work.session);
  if (fflush(stdout) == 0 && !ferror(stdout)) return result;
  host_complain("standard output can't be written");
  return EXIT_FAILED;
}

int main(int argc, char** argv) {
  settings set = {0};
  const option_slot key_options[] = {
      {"--public-key", &set.public_key, 1}, {"--socket", &set.socket, 0}, {NULL, NULL, 0}};
  const option_slot trust_options[] = {{"--state", &set.state, 1},
                                       {"--sender", &set.sender, 1},
                                       {"--public-key", &set.public_key, 1},
                                       {"--socket", &set.socket, 0},
                                       {NULL, NULL, 0}};
  const option_slot open_options[] = {
      {"--state", &set.state, 1}, {"--out", &set.out, 1}, {"--socket", &set.socket, 0}, {NULL, NULL, 0}};
  const option_slot* options[] = {NULL, key_options, trust_options, open_options};

  host_set_program("backend");
  if (argc > 1 && strcmp(argv[1], "--help") == 0) return fputs(kHelp, stdout) < 0 ? EXIT_FAILED : EXIT_DONE;
  const command what = command_of(argv[1]);
  if (what == COMMAND_NONE) {
    host_complain("the first argument must be key, trust or open; --help tells more");
    return EXIT_USAGE;
  }
  const int rest = options_read(argc - 2, argv + 2, options[what]);
  if (rest < 0 || !check(&set, what, argc - 2 - rest, argv + 2 + rest)) return EXIT_USAGE;
  return run(&set, what, argc - 2 - rest, argv + 2 + rest);
}
