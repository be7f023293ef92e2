#include "est_service/tls_stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>

#include "base/handle.h"
#include "est_service/tls_failure.h"

namespace wvds::est_service {
namespace {

using est::failed;
using est::FailureKind;
using est::Outcome;

// "?" lets an implementation without the group (a FIPS provider, say) leave it out; "*" sends a key share ahead.
constexpr const char* kGroups = "?*X25519MLKEM768:?SecP256r1MLKEM768:?X25519:?secp256r1:?secp384r1";
constexpr size_t kRecord = 16 << 10;

using Context = Handle<SSL_CTX, SSL_CTX_free>;
using Ssl = Handle<SSL, SSL_free>;

std::unexpected<est::Failure> not_set_up(const char* what) {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  ERR_clear_error();
  return failed(FailureKind::kTlsFailed, std::string(what) + ": " + text.data());
}

bool add_anchors(SSL_CTX* context, const TlsSettings& settings) {
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  for (X509* anchor : settings.anchors) {
    if (X509_STORE_add_cert(store, anchor) != 1) return false;
  }
  // An anchor need not be self-signed: whoever is configured is trusted (RFC 5280, section 6.1.1 d).
  return X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN) == 1;
}

bool add_credential(SSL_CTX* context, const TlsSettings& settings) {
  if (settings.key == nullptr || settings.chain.empty()) return true;
  if (SSL_CTX_use_certificate(context, settings.chain.front()) != 1) return false;
  for (size_t i = 1; i < settings.chain.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context, settings.chain[i]) != 1) return false;
  }
  return SSL_CTX_use_PrivateKey(context, settings.key) == 1;
}

Outcome<Context> make_context(const TlsSettings& settings) {
  Context context(SSL_CTX_new_ex(settings.library.context(), nullptr, TLS_client_method()));
  if (!context) return not_set_up("TLS can't be set up");
  const int least = settings.tls12_allowed ? TLS1_2_VERSION : TLS1_3_VERSION;
  if (SSL_CTX_set_min_proto_version(context.get(), least) != 1) return not_set_up("TLS versions can't be set");
  if (SSL_CTX_set1_groups_list(context.get(), kGroups) != 1) return not_set_up("TLS groups can't be set");
  if (!add_anchors(context.get(), settings)) return not_set_up("the trust anchors can't be used");
  if (!add_credential(context.get(), settings)) return not_set_up("the device's certificate and key can't be used");
  SSL_CTX_set_verify(context.get(), settings.server_unknown ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  return context;
}

// The server must be the one of the configuration, as RFC 7030, section 3.6.1 has it with RFC 6125.
bool expect_host(SSL* ssl, const std::string& host) {
  X509_VERIFY_PARAM* param = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (X509_VERIFY_PARAM_set1_ip_asc(param, host.c_str()) == 1) return true;
  ERR_clear_error();  // it is no address
  return X509_VERIFY_PARAM_set1_host(param, host.c_str(), host.size()) == 1 &&
         SSL_set_tlsext_host_name(ssl, host.c_str()) == 1;
}

Outcome<Ssl> make_ssl(SSL_CTX* context, const TlsSettings& settings) {
  Ssl ssl(SSL_new(context));
  BIO* in = BIO_new(BIO_s_mem());
  BIO* out = BIO_new(BIO_s_mem());
  if (ssl == nullptr || in == nullptr || out == nullptr) {
    BIO_free(in);
    BIO_free(out);
    return not_set_up("TLS can't be set up");
  }
  SSL_set_bio(ssl.get(), in, out);
  if (!expect_host(ssl.get(), settings.host)) return not_set_up("the server's name can't be used");
  X509_VERIFY_PARAM_set_time(SSL_get0_param(ssl.get()), static_cast<time_t>(settings.now));
  SSL_set_connect_state(ssl.get());
  return ssl;
}

}  // namespace

struct TlsStream::Parts {
  Context context;
  Ssl ssl;
  ByteStream& transport;
  std::string host;
  bool client_authenticates;

  est::Failure failure() { return tls_failure(ssl.get(), {host.c_str(), client_authenticates}); }

  Outcome<> send_out(platform::TimePoint deadline);
  Outcome<> take_in(platform::TimePoint deadline);

  template <class Step>
  Outcome<size_t> drive(platform::TimePoint deadline, Step step);
};

// send_out hands what TLS has written to the transport.
Outcome<> TlsStream::Parts::send_out(platform::TimePoint deadline) {
  std::array<std::byte, kRecord> buffer;
  for (;;) {
    const int length = BIO_read(SSL_get_wbio(ssl.get()), buffer.data(), static_cast<int>(buffer.size()));
    if (length <= 0) return {};
    if (auto sent = transport.write(Bytes(buffer).first(static_cast<size_t>(length)), deadline); !sent) return sent;
  }
}

Outcome<> TlsStream::Parts::take_in(platform::TimePoint deadline) {
  std::array<std::byte, kRecord> buffer;
  const auto length = transport.read(buffer, deadline);
  if (!length) return std::unexpected(length.error());
  BIO* in = SSL_get_rbio(ssl.get());
  if (*length == 0) BIO_set_mem_eof_return(in, 0);  // TLS now sees the end, and whether it came too early
  if (*length != 0 && BIO_write(in, buffer.data(), static_cast<int>(*length)) != static_cast<int>(*length))
    return failed(FailureKind::kTlsFailed, "no memory for what the server sent");
  return {};
}

// drive repeats a step of TLS until it is done, carrying bytes in between. The server's last word (an alert) is read
// even when a write can't be finished: it says why.
template <class Step>
Outcome<size_t> TlsStream::Parts::drive(platform::TimePoint deadline, Step step) {
  for (;;) {
    size_t done = 0;
    ERR_clear_error();
    const int result = step(done);
    const int wanted = result > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl.get(), result);
    if (wanted != SSL_ERROR_NONE && wanted != SSL_ERROR_WANT_READ && wanted != SSL_ERROR_WANT_WRITE &&
        wanted != SSL_ERROR_ZERO_RETURN) {
      est::Failure cause = failure();
      (void)send_out(deadline);  // our own alert, as a courtesy
      return std::unexpected(std::move(cause));
    }
    const auto sent = send_out(deadline);
    if (wanted == SSL_ERROR_ZERO_RETURN) return 0;
    if (result > 0) {
      if (!sent) return std::unexpected(sent.error());
      return done;
    }
    if (const auto taken = take_in(deadline); !taken) return std::unexpected(sent ? taken.error() : sent.error());
  }
}

TlsStream::TlsStream(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
TlsStream::~TlsStream() = default;

Outcome<std::unique_ptr<TlsStream>> TlsStream::connect(const TlsSettings& settings, ByteStream& transport,
                                                       platform::TimePoint deadline) {
  auto context = make_context(settings);
  if (!context) return std::unexpected(context.error());
  auto ssl = make_ssl(context->get(), settings);
  if (!ssl) return std::unexpected(ssl.error());
  std::unique_ptr<TlsStream> stream(new TlsStream(std::make_unique<Parts>(
      Parts{std::move(*context), std::move(*ssl), transport, settings.host, settings.key != nullptr})));
  Parts& parts = *stream->parts_;
  const auto shaken = parts.drive(deadline, [&](size_t&) { return SSL_do_handshake(parts.ssl.get()); });
  if (!shaken) return std::unexpected(shaken.error());
  return stream;
}

Outcome<size_t> TlsStream::read(MutableBytes out, platform::TimePoint deadline) {
  return parts_->drive(deadline,
                       [&](size_t& done) { return SSL_read_ex(parts_->ssl.get(), out.data(), out.size(), &done); });
}

Outcome<> TlsStream::write(Bytes bytes, platform::TimePoint deadline) {
  if (bytes.empty()) return {};
  const auto written = parts_->drive(
      deadline, [&](size_t& done) { return SSL_write_ex(parts_->ssl.get(), bytes.data(), bytes.size(), &done); });
  if (!written) return std::unexpected(written.error());
  return {};
}

std::vector<std::byte> TlsStream::binding() const {
  SSL* ssl = parts_->ssl.get();
  std::vector<std::byte> out(32);
  if (SSL_version(ssl) == TLS1_3_VERSION) {
    constexpr std::string_view kLabel = "EXPORTER-Channel-Binding";  // RFC 9266, section 4.2
    const int made = SSL_export_keying_material(ssl, reinterpret_cast<unsigned char*>(out.data()), out.size(),
                                                kLabel.data(), kLabel.size(), nullptr, 0, 0);
    if (made != 1) out.clear();
    return out;
  }
  // The first Finished message of the handshake, which in a full handshake is the client's (RFC 5929, section 3.1).
  out.resize(SSL_get_finished(ssl, out.data(), out.size()));
  return out;
}

std::string TlsStream::summary() const {
  SSL* ssl = parts_->ssl.get();
  const char* group = SSL_get0_group_name(ssl);
  return std::string(SSL_get_version(ssl)) + " " + (group == nullptr ? "-" : group) + " " + SSL_get_cipher_name(ssl);
}

}  // namespace wvds::est_service
