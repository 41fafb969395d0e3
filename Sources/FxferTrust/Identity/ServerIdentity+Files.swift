import FxferProtocol

extension ServerIdentity {
    private static let certificateRules = FileRules(title: "certificate", maxSize: 1 << 20, takesPipe: true)
    /// The group may read it, as Debian's group ssl-cert does.
    private static let keyRules = FileRules(title: "key file", maxSize: 1 << 20, forbidden: 0o027, takesPipe: true)

    /// Reads an identity that other tools made: a chain of certificates in PEM form, the server's own first, and its
    /// private key, not encrypted. Symbolic links are followed.
    ///
    /// - Throws: `.noInput` where one of them is missing or not what it should be, or they do not belong together,
    ///   `.notPermitted` where others have access to the key file or this user has none, `.io`.
    public static func load(certificate: [UInt8], key: [UInt8]) throws(FxferError) -> ServerIdentity {
        let certificateName = EscapedText.escape(certificate)
        let keyName = EscapedText.escape(key)
        let chainText = try self.certificateRules.read(path: certificate)
        let keyText = try self.keyRules.read(path: key)
        let chain: CertificateChain
        do throws(PEMFailure) {
            chain = try CertificateChain.read(pem: chainText)
        } catch {
            throw Self.failure(error, "certificate", certificateName)
        }
        let privateKey: PrivateKey
        do throws(PEMFailure) {
            privateKey = try PrivateKey.read(pem: keyText)
        } catch {
            throw Self.failure(error, "private key", keyName)
        }
        guard privateKey.isUsual else {
            throw FxferError(
                .noInput,
                "the key in '\(keyName)' is of a kind that clients do not take; make one of ECDSA (P-256) or RSA"
            )
        }
        guard chain.leaf.belongs(to: privateKey) else {
            throw FxferError(
                .noInput,
                "the key in '\(keyName)' does not belong to the first certificate in '\(certificateName)'; name the "
                    + "two files that were made together"
            )
        }
        return try ServerIdentity(chain, privateKey)
    }

    private static func failure(_ failure: PEMFailure, _ what: String, _ name: String) -> FxferError {
        switch failure {
        case .missing:
            FxferError(.noInput, "there is no \(what) in '\(name)'; it has to be there in PEM form")
        case .broken:
            FxferError(.noInput, "the \(what) in '\(name)' is damaged or of an unknown kind; make it anew")
        case .encrypted:
            FxferError(
                .noInput,
                "the \(what) in '\(name)' is encrypted; decrypt it into a file of its own: openssl pkey -in KEY -out FILE"
            )
        }
    }
}
