#ifndef CLIBCRYPTO_SHIM_H
#define CLIBCRYPTO_SHIM_H

// SHA256_CTX and its calls are marked as deprecated: see SHA256.swift for why they are used.
#define OPENSSL_SUPPRESS_DEPRECATED

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

/// A new key on P-256; null where libcrypto cannot make one. EVP_EC_gen is a macro over a variadic function, neither of
/// which Swift sees.
static inline EVP_PKEY *clibcrypto_make_p256_key(void) {
    return EVP_EC_gen("P-256");
}

#endif
