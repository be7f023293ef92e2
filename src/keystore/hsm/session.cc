#include "keystore/hsm/session.h"

#include "base/log.h"

namespace wvds::keystore::hsm {
namespace {

std::unexpected<Error> refuse(std::string why) { return fail(Status::kStorageError, std::move(why)); }

// printable keeps what a module says from writing into the log what is no text.
std::string printable(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return text;
}

Result<OpenedToken> read_opened(const Message& answer) {
  OpenedToken out;
  std::string* const texts[] = {&out.facts.label, &out.facts.serial, &out.facts.manufacturer, &out.facts.model};
  for (size_t i = 0; i < std::size(texts); ++i) {
    WVDS_ASSIGN(text, answer.text(i, kMaxTokenText));
    *texts[i] = printable(std::move(text));
  }
  WVDS_ASSIGN(slot, answer.number(4));
  WVDS_ASSIGN(flags, answer.number(5));
  out.facts.slot = slot;
  out.flags = flags;
  return out;
}

// What follows a fault's own sentence: what to do.
const char* cure(Fault fault) {
  switch (fault) {
    case Fault::kPinWrong: return ": the token's PIN is wrong";
    case Fault::kPinLocked:
      return ": the token's PIN is locked after too many wrong ones; its security officer unlocks it";
    case Fault::kPinRefused: return ": the token does not take this PIN, or has none yet";
    case Fault::kSessionLost: return ": the session with the token is lost; was the token taken out?";
    case Fault::kWrongWrap: return ": what the store's header holds was not wrapped by this key, or was changed";
    default: return "";
  }
}

}  // namespace

// explain makes an error of a failed answer, and remembers what it says about the PIN.
std::unexpected<Error> TokenSession::explain(const Message& answer) {
  const auto text = answer.text(0, kMaxDetail);
  std::string detail = (text ? printable(*text) : "the PKCS#11 helper's answer is malformed") + cure(fault_);
  const bool is_about_pin = fault_ == Fault::kPinWrong || fault_ == Fault::kPinLocked || fault_ == Fault::kPinRefused;
  if (is_about_pin && pin_state_ == PinState::kTrying) {
    detail += pin_source_->advice();
    pin_state_ = PinState::kWrong;
    pin_refusal_ = detail + " (not tried again before this program is started again)";
  }
  return fail(fault_ == Fault::kNoMechanism ? Status::kUnsupported : Status::kStorageError, std::move(detail));
}

// exchange fails for a helper that is gone, slow or talks nonsense, and for an answer that is a failure.
Result<Message> TokenSession::exchange(const Message& request) {
  fault_ = Fault::kFailed;
  answered_ = false;
  const WipedBytes packet = request.encode();
  auto received = helper_->exchange(packet.expose());
  auto answer = received ? Message::decode(received->expose()) : Result<Message>(std::unexpected(received.error()));
  if (!answer || answer->kind > static_cast<uint8_t>(Fault::kLast)) {
    is_open_ = false;
    return refuse(answer || received ? "the PKCS#11 helper's answer is malformed" : received.error().detail);
  }
  answered_ = true;
  fault_ = static_cast<Fault>(answer->kind);
  if (fault_ != Fault::kNone) return explain(*answer);
  return answer;
}

Result<> TokenSession::open_token() {
  WVDS_TRY(helper_->restart());
  Message request{static_cast<uint8_t>(Request::kOpen), {}};
  request.add_text(settings_.module);
  const TokenSelector& wanted = settings_.token;
  for (const std::string& text : {wanted.label, wanted.serial, wanted.manufacturer, wanted.model})
    request.add_text(text);
  if (wanted.slot) request.add_number(*wanted.slot);
  if (!wanted.slot) request.add({});
  WVDS_ASSIGN(answer, exchange(request));
  auto opened = read_opened(answer);
  if (!opened) return refuse("the PKCS#11 helper's answer is malformed");
  token_ = std::move(*opened);
  flags_ = token_.flags;
  return {};
}

Result<> TokenSession::check_may_try() const {
  if (pin_state_ == PinState::kWrong) return refuse(pin_refusal_);
  if (pin_state_ == PinState::kTrying) {
    return refuse(
        "the module gave no answer when the PIN was tried; it is not tried again before this program is "
        "started again");
  }
  if ((token_.flags & TokenFlag::kPinLocked) != 0)
    return refuse("the PIN of the token \"" + token_.facts.label + "\" is locked; its security officer unlocks it");
  if ((token_.flags & kPinFinalTry) != 0) {
    return refuse("the token \"" + token_.facts.label +
                  "\" would be locked by one more wrong PIN, so none is tried: log in once with the right one by the "
                  "vendor's tools, put it where this program reads it, and start again");
  }
  return {};
}

Result<> TokenSession::log_in() {
  WVDS_TRY(check_may_try());
  if (pin_.size() == 0) {
    WVDS_ASSIGN(pin, pin_source_->read());
    pin_ = std::move(pin);
  }
  if ((token_.flags & kPinCountLow) != 0 && pin_state_ == PinState::kUntried)
    log_warning("a wrong PIN was given to the token before", {{"token", token_.facts.label}});
  Message request{static_cast<uint8_t>(Request::kLogin), {}};
  request.add(pin_.expose());
  const bool was_right = pin_state_ == PinState::kRight;
  pin_state_ = PinState::kTrying;
  const auto answer = exchange(request);
  if (answer || (was_right && pin_state_ == PinState::kTrying)) pin_state_ = PinState::kRight;
  if (pin_state_ == PinState::kTrying && answered_) pin_state_ = PinState::kUntried;  // not the PIN was the matter
  if (!answer) return std::unexpected(answer.error());
  return {};
}

Result<> TokenSession::ensure_open() {
  if (is_open_) return {};
  WVDS_TRY(open_token());
  WVDS_TRY(log_in());
  is_open_ = true;
  return {};
}

Result<OpenedToken> TokenSession::open() {
  const std::lock_guard lock(mutex_);
  WVDS_TRY(ensure_open());
  return token_;
}

Result<Message> TokenSession::ask_open(Request request, const std::function<void(Message&)>& add_fields) {
  WVDS_TRY(ensure_open());
  Message message{static_cast<uint8_t>(request), {}};
  add_fields(message);
  return exchange(message);
}

Result<Message> TokenSession::ask(Request request, const std::function<void(Message&)>& add_fields) {
  const std::lock_guard lock(mutex_);
  auto answer = ask_open(request, add_fields);
  if (answer || !is_open_ || fault_ != Fault::kSessionLost) return answer;
  is_open_ = false;
  return ask_open(request, add_fields);
}

bool TokenSession::pin_was_wrong() {
  const std::lock_guard lock(mutex_);
  return pin_state_ == PinState::kWrong;
}

// Not again after a lost session: the PIN might be another one by then.
Result<> TokenSession::change_pin(Bytes new_pin, bool& answered) {
  answered = true;  // nothing was asked yet
  WVDS_ASSIGN(pin, crypto::LockedBytes::copy_of(new_pin));
  const std::lock_guard lock(mutex_);
  WVDS_TRY(ensure_open());
  const auto changed = ask_open(Request::kSetPin, [&](Message& message) {
    message.add(pin_.expose());
    message.add(new_pin);
  });
  answered = answered_;
  if (!changed) return std::unexpected(changed.error());
  pin_ = std::move(pin);
  return {};
}

}  // namespace wvds::keystore::hsm
