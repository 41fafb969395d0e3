import FxferProtocol
import FxferTrust

/// Signed receipts: whose key signs them, and whether each is right before its file counts as stored.
extension UploadConnection {
    /// The key that signs the server's receipts. Inside TLS it has to be the certificate's own, so that it is known as well
    /// as the server is; in the clear it is whatever the other side says.
    func receiptKey(of welcome: Welcome) throws(FxferError) -> PublicKey {
        guard let key = welcome.receiptKey.flatMap({ PublicKey(subjectPublicKeyInfo: $0) }) else {
            throw FxferError(.protocolViolation, "the server names a key for receipts that is none on P-256")
        }
        if let certificate = self.client.certificate, certificate.fingerprint != key.fingerprint {
            throw FxferError(
                .notPermitted,
                "\(self.client.endpoint) signs receipts by the key \(key.fingerprint), which is not that of its "
                    + "certificate; nothing was sent"
            )
        }
        return key
    }

    func check(_ receipt: Receipt) throws(FxferError) {
        guard let key = self.receiptKey, receipt.attestation != nil,
            let upload = self.sending.loaded[receipt.file]?.label ?? self.sending.open[receipt.file]?.label,
            !upload.content.isFolder
        else { return }
        guard key.statement(of: receipt) != nil else {
            throw FxferError(
                .damaged,
                "the signature of the receipt for '\(upload.destination)' is wrong: it proves nothing, so the file does not "
                    + "count as stored"
            )
        }
    }

    /// The receipt as it is kept: the signature was found right when it came in.
    func signed(_ receipt: Receipt, of upload: PendingUpload) -> SignedReceipt? {
        guard !upload.content.isFolder, let key = self.receiptKey?.receiptKey, let attestation = receipt.attestation,
            let statement = ReceiptStatement(receipt, by: key)?.bytes
        else { return nil }
        return SignedReceipt(statement: statement, signature: attestation.signature)
    }
}
