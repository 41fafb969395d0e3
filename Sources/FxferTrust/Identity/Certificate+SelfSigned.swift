import CLibcrypto
import FxferProtocol

extension Certificate {
    /// The name in the certificates that are made here. Clients that pin the key do not look at it.
    private static let name = "fxfer"
    /// "No well-defined expiration date" of RFC 5280 section 4.1.2.5.
    private static let never = "99991231235959Z"
    /// Valid from this many seconds ago on, so that a client whose clock is slow takes it, too.
    private static let slack = 24 * 60 * 60
    /// The size of a serial number in bytes; RFC 5280 section 4.1.2.2 allows 20.
    private static let serialSize = 16

    /// A new certificate for `key`, signed by itself with ECDSA and SHA-256: X.509 version 3, for the name `fxfer`, not
    /// for an authority, and without an end.
    static func selfSigned(by key: borrowing PrivateKey) throws(FxferError) -> Certificate {
        guard let object = CryptoObject(X509_new(), freedBy: X509_free) else { throw .libcrypto("X509_new") }
        let certificate = Certificate(object)
        // Version 3 is written as 2.
        try FxferError.expect(X509_set_version(certificate.pointer, 2), "X509_set_version")
        try certificate.setRandomSerial()
        try certificate.setNames()
        guard X509_gmtime_adj(X509_getm_notBefore(certificate.pointer), -Self.slack) != nil else {
            throw .libcrypto("X509_gmtime_adj")
        }
        try FxferError.expect(
            ASN1_TIME_set_string_X509(X509_getm_notAfter(certificate.pointer), Self.never),
            "ASN1_TIME_set_string_X509"
        )
        try FxferError.expect(X509_set_pubkey(certificate.pointer, key.pointer), "X509_set_pubkey")
        try certificate.add(NID_basic_constraints, "critical,CA:FALSE")
        try certificate.add(NID_subject_alt_name, "DNS:\(Self.name)")
        // Answers the signature's size.
        guard X509_sign(certificate.pointer, key.pointer, EVP_sha256()) > 0 else { throw .libcrypto("X509_sign") }
        return certificate
    }

    private func setRandomSerial() throws(FxferError) {
        let bytes = RandomBytes.make(Self.serialSize)
        guard let number = CryptoObject(BN_bin2bn(bytes, CInt(bytes.count), nil), freedBy: BN_free),
            BN_to_ASN1_INTEGER(number.pointer, X509_get_serialNumber(self.pointer)) != nil
        else { throw .libcrypto("BN_to_ASN1_INTEGER") }
    }

    private func setNames() throws(FxferError) {
        let subject = X509_get_subject_name(self.pointer)
        let name = Array(Self.name.utf8)
        try FxferError.expect(
            X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8, name, CInt(name.count), -1, 0),
            "X509_NAME_add_entry_by_NID"
        )
        try FxferError.expect(X509_set_issuer_name(self.pointer, subject), "X509_set_issuer_name")
    }

    private func add(_ extensionNumber: CInt, _ value: String) throws(FxferError) {
        let made = X509V3_EXT_conf_nid(nil, nil, extensionNumber, value)
        guard let added = CryptoObject(made, freedBy: X509_EXTENSION_free) else {
            throw .libcrypto("X509V3_EXT_conf_nid")
        }
        try FxferError.expect(X509_add_ext(self.pointer, added.pointer, -1), "X509_add_ext")
    }
}
