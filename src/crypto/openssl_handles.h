#pragma once

#include <openssl/conf.h>
#include <openssl/decoder.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/provider.h>

#include "base/bytes.h"
#include "base/handle.h"

// Owning handles for OpenSSL's objects. For crypto/ only.
namespace wvds::crypto {

using LibCtxHandle = Handle<OSSL_LIB_CTX, OSSL_LIB_CTX_free>;
using ProviderHandle = Handle<OSSL_PROVIDER, OSSL_PROVIDER_unload>;
using ConfHandle = Handle<CONF, NCONF_free>;
using DecoderCtxHandle = Handle<OSSL_DECODER_CTX, OSSL_DECODER_CTX_free>;
using CipherHandle = Handle<EVP_CIPHER, EVP_CIPHER_free>;
using CipherCtxHandle = Handle<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;
using KeymgmtHandle = Handle<EVP_KEYMGMT, EVP_KEYMGMT_free>;
using KdfHandle = Handle<EVP_KDF, EVP_KDF_free>;
using KdfCtxHandle = Handle<EVP_KDF_CTX, EVP_KDF_CTX_free>;
using KemHandle = Handle<EVP_KEM, EVP_KEM_free>;
using MdHandle = Handle<EVP_MD, EVP_MD_free>;
using MdCtxHandle = Handle<EVP_MD_CTX, EVP_MD_CTX_free>;
using RandHandle = Handle<EVP_RAND, EVP_RAND_free>;
using SignatureHandle = Handle<EVP_SIGNATURE, EVP_SIGNATURE_free>;
using PkeyHandle = Handle<EVP_PKEY, EVP_PKEY_free>;
using PkeyCtxHandle = Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;

// data_of never returns null: some of OpenSSL's functions take a null pointer for "no buffer" even when the length is
// 0.
inline const unsigned char* data_of(Bytes bytes) {
  static constexpr unsigned char kNothing = 0;
  return bytes.empty() ? &kNothing : reinterpret_cast<const unsigned char*>(bytes.data());
}
inline unsigned char* data_of(MutableBytes bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

// octet_param describes `bytes` as an input parameter; OSSL_PARAM has no const form, OpenSSL does not write to it.
inline OSSL_PARAM octet_param(const char* name, Bytes bytes) {
  return OSSL_PARAM_construct_octet_string(name, const_cast<unsigned char*>(data_of(bytes)), bytes.size());
}

}  // namespace wvds::crypto
