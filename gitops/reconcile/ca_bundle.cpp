#include "gitops/reconcile/ca_bundle.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

#include "kube/base/ascii.h"
#include "kube/base/digest.h"

namespace weber::gitops {

namespace {

// At least one certificate, and nothing that looks like one but is broken.
bool is_pem_bundle(const std::string& text) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free);
    int count = 0;
    while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
        X509_free(certificate);
        ++count;
    }
    const unsigned long last = ERR_peek_last_error();
    const bool at_end = ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    return count > 0 && at_end;
}

} // namespace

Object without_invalid_ca_bundle(const Object& object) {
    if (!kube::same_but_case(object.kind(), "CustomResourceDefinition") || object.group() != "apiextensions.k8s.io") return object;
    const Node* bundle = object.at({"spec", "conversion", "webhook", "clientConfig", "caBundle"});
    if (bundle == nullptr || !bundle->is_string() || bundle->text().empty()) return object;
    const auto decoded = kube::base64_decode(bundle->text());
    if (decoded && (decoded->empty() || is_pem_bundle(*decoded))) return object;
    Object out = object;
    Node* at = &out.root();
    for (std::string_view key : {"spec", "conversion", "webhook", "clientConfig"}) at = at->find_mut(key);
    at->erase("caBundle");
    return out;
}

} // namespace weber::gitops
