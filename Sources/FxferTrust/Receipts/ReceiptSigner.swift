import FxferProtocol

/// A server's key as it signs receipts: ECDSA on P-256 with SHA-256.
///
/// The key is the one of the server's certificate. What TLS 1.3 has it sign begins with 64 spaces (RFC 8446 section
/// 4.4.3), a certificate with 0x30, a statement with `{"format":"fxfer-receipt"`: none can be taken for another.
package final class ReceiptSigner: Sendable {
    /// The public key in DER, as WELCOME has it.
    package let subjectPublicKeyInfo: [UInt8]
    // An EVP_PKEY may be used by several threads at once while none changes it, and nothing does.
    private nonisolated(unsafe) let privateKey: PrivateKey
    private let key: ReceiptKey

    /// Nil for a key of another kind.
    init?(_ key: borrowing PrivateKey) throws(FxferError) {
        guard key.isP256 else { return nil }
        let encoded = try key.subjectPublicKeyInfo()
        // Nil, too, for one that is written in another way, with its point compressed: what fxfer would not verify.
        guard let publicKey = PublicKey(subjectPublicKeyInfo: encoded) else { return nil }
        self.subjectPublicKeyInfo = encoded
        self.key = publicKey.receiptKey
        self.privateKey = try key.shared()
    }

    /// Signs what `receipt` says, and adds what the client needs to see that.
    ///
    /// - Throws: `.internal` where libcrypto fails.
    package func sign(_ receipt: inout Receipt, _ stored: StoredEntry) throws(FxferError) {
        let statement = ReceiptStatement(
            path: receipt.path,
            content: receipt.content,
            stored: stored,
            outcome: receipt.outcome,
            key: self.key
        )
        let signature = try self.privateKey.sign(statement.bytes)
        receipt.attestation = ReceiptAttestation(stored: stored, signature: signature)
    }
}
