#include "kube/server/tls.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <array>
#include <memory>

namespace weber::kube::server {
namespace {

template <auto Free>
struct Freer {
    template <class T>
    void operator()(T* p) const {
        Free(p);
    }
};
using Pkey = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Cert = std::unique_ptr<X509, Freer<X509_free>>;
using Bio = std::unique_ptr<BIO, Freer<BIO_free_all>>;

std::unexpected<Error> ssl_failure(std::string what) {
    std::array<char, 256> text{};
    ERR_error_string_n(ERR_get_error(), text.data(), text.size());
    return fail(ErrorCode::internal, std::move(what) + ": " + text.data());
}

std::string bio_text(BIO* bio) {
    char* data = nullptr;
    const long n = BIO_get_mem_data(bio, &data);
    return std::string(data, static_cast<std::size_t>(n));
}

std::string to_pem(X509* cert) {
    Bio bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(bio.get(), cert);
    return bio_text(bio.get());
}

std::string to_pem(EVP_PKEY* key) {
    Bio bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
    return bio_text(bio.get());
}

void add_extension(X509* cert, X509* issuer, int nid, const std::string& value) {
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, cert, nullptr, nullptr, 0);
    if (X509_EXTENSION* ext = X509V3_EXT_conf_nid(nullptr, &ctx, nid, value.c_str())) {
        X509_add_ext(cert, ext, -1);
        X509_EXTENSION_free(ext);
    }
}

// The parts that CA and server certificates share: serial, validity (an hour back for skewed clocks), subject, key.
Cert start_certificate(EVP_PKEY* key, const std::string& common_name, long days) {
    Cert cert(X509_new());
    X509_set_version(cert.get(), 2);
    std::array<unsigned char, 8> serial{};
    RAND_bytes(serial.data(), serial.size());
    serial[0] &= 0x7f;
    BIGNUM* number = BN_bin2bn(serial.data(), serial.size(), nullptr);
    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert.get()));
    BN_free(number);
    X509_gmtime_adj(X509_getm_notBefore(cert.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert.get()), days * 86400);
    X509_set_pubkey(cert.get(), key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert.get()), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
    return cert;
}

} // namespace

Result<KeyPair> make_ca(const std::string& common_name) {
    Pkey key(EVP_EC_gen("P-256"));
    if (!key) return ssl_failure("cannot make a key");
    Cert cert = start_certificate(key.get(), common_name, 3650);
    X509_set_issuer_name(cert.get(), X509_get_subject_name(cert.get()));
    add_extension(cert.get(), cert.get(), NID_basic_constraints, "critical,CA:TRUE");
    add_extension(cert.get(), cert.get(), NID_key_usage, "critical,keyCertSign,cRLSign,digitalSignature");
    add_extension(cert.get(), cert.get(), NID_subject_key_identifier, "hash");
    if (!X509_sign(cert.get(), key.get(), EVP_sha256())) return ssl_failure("cannot sign the CA certificate");
    return KeyPair{to_pem(cert.get()), to_pem(key.get())};
}

Result<KeyPair> make_server_certificate(const KeyPair& ca, const std::vector<std::string>& ips,
                                        const std::vector<std::string>& dns_names) {
    Bio cert_bio(BIO_new_mem_buf(ca.certificate.data(), static_cast<int>(ca.certificate.size())));
    Bio key_bio(BIO_new_mem_buf(ca.key.data(), static_cast<int>(ca.key.size())));
    Cert issuer(PEM_read_bio_X509(cert_bio.get(), nullptr, nullptr, nullptr));
    Pkey issuer_key(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr));
    if (!issuer || !issuer_key) return ssl_failure("cannot read the CA of the data folder");
    Pkey key(EVP_EC_gen("P-256"));
    if (!key) return ssl_failure("cannot make a key");
    Cert cert = start_certificate(key.get(), "weber-apiserver", 365);
    X509_set_issuer_name(cert.get(), X509_get_subject_name(issuer.get()));
    std::string names;
    for (const auto& ip : ips) names += (names.empty() ? "IP:" : ",IP:") + ip;
    for (const auto& dns : dns_names) names += (names.empty() ? "DNS:" : ",DNS:") + dns;
    add_extension(cert.get(), issuer.get(), NID_basic_constraints, "critical,CA:FALSE");
    add_extension(cert.get(), issuer.get(), NID_key_usage, "critical,digitalSignature,keyEncipherment");
    add_extension(cert.get(), issuer.get(), NID_ext_key_usage, "serverAuth");
    add_extension(cert.get(), issuer.get(), NID_authority_key_identifier, "keyid");
    add_extension(cert.get(), issuer.get(), NID_subject_alt_name, names);
    if (!X509_sign(cert.get(), issuer_key.get(), EVP_sha256())) return ssl_failure("cannot sign the server certificate");
    return KeyPair{to_pem(cert.get()), to_pem(key.get())};
}

std::string random_hex(std::size_t bytes) {
    static const char digits[] = "0123456789abcdef";
    std::string raw(bytes, '\0'), out;
    RAND_bytes(reinterpret_cast<unsigned char*>(raw.data()), static_cast<int>(bytes));
    for (const unsigned char c : raw) {
        out += digits[c >> 4];
        out += digits[c & 15];
    }
    return out;
}

std::string random_uuid() {
    std::string h = random_hex(16);
    h[12] = '4';
    h[16] = "89ab"[(h[16] >= 'a' ? h[16] - 'a' + 10 : h[16] - '0') & 3];
    return h.substr(0, 8) + "-" + h.substr(8, 4) + "-" + h.substr(12, 4) + "-" + h.substr(16, 4) + "-" + h.substr(20);
}

} // namespace weber::kube::server
