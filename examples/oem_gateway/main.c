/* The reference gateway: what an OEM's program on the device does with the crypto service. It samples the machine,
 * protects each sample (and files it is given) for one recipient, and leaves the envelopes in a folder, from where
 * anything may carry them to the backend: their content needs no protection on the way.
 *
 * Read protect.c first: it is all the cryptography there is. */
#include <stdio.h>
#include <string.h>

#include "examples/common/host.h"
#include "examples/common/options.h"
#include "examples/common/service.h"
#include "examples/envelope/fingerprint.h"
#include "examples/oem_gateway/send.h"
#include "examples/oem_gateway/signing_key.h"

static const char kHelp[] =
    "usage: oem_gateway key  --state DIR --name NAME --public-key FILE [--socket PATH] [--first-sequence N]\n"
    "       oem_gateway send --state DIR --name NAME --recipient FILE --out DIR [--socket PATH]\n"
    "                        [--samples N] [--interval MS] [--copies DIR] [FILE...]\n"
    "\n"
    "key   makes the gateway's signing key in the crypto service, once, and writes its public key to FILE.\n"
    "send  writes N live samples of this machine (default 1), MS milliseconds apart (default 1000), and each\n"
    "      FILE (- is standard input) as envelopes to DIR.\n"
    "\n"
    "--state DIR         remembers the sequence number; keep it as long as the key\n"
    "--name NAME         the sender, 1 to 32 letters, digits, '-', '_', '.'\n"
    "--recipient FILE    the backend's ML-KEM-768 public key\n"
    "--socket PATH       the crypto service (default: the library's)\n"
    "--copies DIR        also writes what went into each envelope, readable, to compare it with what comes out\n"
    "--first-sequence N  continue with number N, where DIR was lost: above every number the backend has seen\n"
    "\n"
    "Exit status: 0 done, 1 something failed, 2 wrong usage, 3 no connection to the service.\n";

typedef struct settings {
  const char *socket, *state, *name, *public_key, *first_sequence; /* key */
  const char *recipient, *out, *samples, *interval, *copies;       /* send */
} settings;

/* What each command asks of the service. */
static const wvds_operation kKeyOperations[] = {WVDS_OP_KEY_LIST, WVDS_OP_KEY_PUBLIC};
static const wvds_algorithm kKeyAlgorithms[] = {WVDS_MLDSA_65};
static const service_needs kKeyNeeds = {kKeyOperations, 2, kKeyAlgorithms, 1};

static const wvds_operation kMakeOperations[] = {WVDS_OP_KEY_GENERATE};
static const service_needs kMakeNeeds = {kMakeOperations, 1, NULL, 0};

static const wvds_operation kSendOperations[] = {WVDS_OP_KEY_LIST, WVDS_OP_MLKEM_ENCAPS_TO_KEY, WVDS_OP_AES_ENCRYPT,
                                                 WVDS_OP_MLDSA_SIGN};
static const wvds_algorithm kSendAlgorithms[] = {WVDS_MLKEM_768, WVDS_AES_256_GCM, WVDS_MLDSA_65};
static const service_needs kSendNeeds = {kSendOperations, 4, kSendAlgorithms, 3};

/* prepare checks the name and takes the state folder for this process. */
static int prepare(const settings* set, sending* work) {
  if (!envelope_sender_is_valid(set->name)) {
    host_complain("--name must be 1 to 32 letters, digits, '-', '_' or '.', and begin with a letter or digit");
    return EXIT_USAGE;
  }
  memcpy(work->who.sender, set->name, strlen(set->name) + 1);
  return host_make_folder(set->state) && host_lock_folder(set->state) &&
                 host_join(work->counter, set->state, "sequence")
             ? EXIT_DONE
             : EXIT_FAILED;
}

/* start_counter writes the counter's file where there is none yet, or where the operator names a higher number. */
static int start_counter(const settings* set, sending* work) {
  int is_missing = 0;
  unsigned long first = 1;
  if (set->first_sequence != NULL && !option_number(&first, "--first-sequence", set->first_sequence, 1, UINT32_MAX))
    return 0;
  if (!host_read_number(&work->last_sequence, &is_missing, work->counter)) return 0;
  if (!is_missing && first <= work->last_sequence + 1) return 1;
  return host_write_number(work->counter, first - 1);
}

static int run_key(const settings* set, sending* work) {
  uint32_t* key = &work->who.signing_key;
  wvds_status status = signing_key_find(work->who.session, key, work->who.sender);
  const int is_new = status == WVDS_SUCCESS && *key == 0;
  if (is_new && !service_offers(work->who.session, &kMakeNeeds)) return EXIT_FAILED;
  if (!start_counter(set, work)) return EXIT_FAILED;
  if (is_new) status = signing_key_make(work->who.session, key, work->who.sender);
  if (status != WVDS_SUCCESS) {
    host_complain("the signing key: %s", wvds_status_text(status));
    return EXIT_FAILED;
  }
  if (!signing_key_publish(work->who.session, *key, set->public_key)) return EXIT_FAILED;
  printf("ML-DSA-65 signing key %u of %s, %s\n", *key, work->who.sender, is_new ? "made now" : "there already");
  return EXIT_DONE;
}

/* load_recipient reads the backend's public key. */
static int load_recipient(gateway* who, const char* path) {
  size_t length = 0;
  if (!host_read_file(who->recipient_key, &length, sizeof who->recipient_key, path)) return 0;
  if (length != sizeof who->recipient_key) {
    host_complain("%s: is no ML-KEM-768 public key: %zu bytes, not %zu", path, length, sizeof who->recipient_key);
    return 0;
  }
  if (fingerprint_of(who->recipient, who->recipient_key, length)) return 1;
  host_complain("%s: OpenSSL can't compute its SHA-256", path);
  return 0;
}

static int load_state(sending* work) {
  int is_missing = 0;
  if (!host_read_number(&work->last_sequence, &is_missing, work->counter)) return 0;
  if (is_missing) {
    host_complain("%s is missing: run \"oem_gateway key\"; if the gateway sent before, with --first-sequence",
                  work->counter);
    return 0;
  }
  const wvds_status status = signing_key_find(work->who.session, &work->who.signing_key, work->who.sender);
  if (status != WVDS_SUCCESS) {
    host_complain("the signing key: %s", wvds_status_text(status));
  } else if (work->who.signing_key == 0) {
    host_complain("%s has no signing key in this service: run \"oem_gateway key\"", work->who.sender);
  }
  return status == WVDS_SUCCESS && work->who.signing_key != 0;
}

static int send_all(const settings* set, sending* work, int num_files, char** files) {
  unsigned long samples = 1, interval = 1000;
  if (set->samples != NULL && !option_number(&samples, "--samples", set->samples, 0, 1000000)) return EXIT_USAGE;
  if (set->interval != NULL && !option_number(&interval, "--interval", set->interval, 0, 86400000)) return EXIT_USAGE;
  work->out = set->out;
  work->copies = set->copies;
  if (!load_recipient(&work->who, set->recipient) || !load_state(work)) return EXIT_FAILED;
  if (!host_make_folder(work->out) || (work->copies != NULL && !host_make_folder(work->copies))) return EXIT_FAILED;
  for (unsigned long i = 0; i < samples; ++i) {
    if (i > 0) host_wait_ms((uint32_t)interval);
    if (!send_sample(work)) return EXIT_FAILED;
  }
  for (int i = 0; i < num_files; ++i) {
    if (!send_file(work, files[i])) return EXIT_FAILED;
  }
  return EXIT_DONE;
}

/* run connects, runs the command and makes sure that what it printed arrived. */
static int run(const settings* set, int is_send, int num_files, char** files) {
  static sending work;
  int result = prepare(set, &work);
  if (result != EXIT_DONE) return result;
  work.who.session = service_connect(set->socket);
  if (work.who.session == NULL) return EXIT_NO_SERVICE;
  result = EXIT_FAILED;
  if (service_offers(work.who.session, is_send ? &kSendNeeds : &kKeyNeeds))
    result = is_send ? send_all(set, &work, num_files, files) : run_key(set, &work);
  wvds_disconnect(work.who.session);
  if (fflush(stdout) == 0 && !ferror(stdout)) return result;
  host_complain("standard output can't be written");
  return EXIT_FAILED;
}

int main(int argc, char** argv) {
  settings set = {0};
  const option_slot key_options[] = {{"--state", &set.state, 1},
                                     {"--name", &set.name, 1},
                                     {"--public-key", &set.public_key, 1},
                                     {"--socket", &set.socket, 0},
                                     {"--first-sequence", &set.first_sequence, 0},
                                     {NULL, NULL, 0}};
  const option_slot send_options[] = {
      {"--state", &set.state, 1},       {"--name", &set.name, 1},     {"--recipient", &set.recipient, 1},
      {"--out", &set.out, 1},           {"--socket", &set.socket, 0}, {"--samples", &set.samples, 0},
      {"--interval", &set.interval, 0}, {"--copies", &set.copies, 0}, {NULL, NULL, 0}};
  host_set_program("oem_gateway");
  if (argc > 1 && strcmp(argv[1], "--help") == 0) return fputs(kHelp, stdout) < 0 ? EXIT_FAILED : EXIT_DONE;
  const int is_send = argc > 1 && strcmp(argv[1], "send") == 0;
  if (argc < 2 || (!is_send && strcmp(argv[1], "key") != 0)) {
    host_complain("the first argument must be key or send; --help tells more");
    return EXIT_USAGE;
  }
  const int rest = options_read(argc - 2, argv + 2, is_send ? send_options : key_options);
  if (rest < 0) return EXIT_USAGE;
  if (!is_send && rest < argc - 2) {
    host_complain("%s: key takes no file", argv[2 + rest]);
    return EXIT_USAGE;
  }
  return run(&set, is_send, argc - 2 - rest, argv + 2 + rest);
}
