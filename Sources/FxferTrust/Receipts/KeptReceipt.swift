import FxferProtocol

/// A receipt that a client has kept in two files, the statement and its signature, both looked at and found right.
public struct KeptReceipt: Sendable {
    /// The name of a statement's file ends with it.
    public static let statementSuffix = ".receipt.json"
    /// The same name with this ending is that of the signature's file.
    public static let signatureSuffix = ".receipt.sig"

    package let statement: ReceiptStatement
    /// The key that signed it. Whose it is, the receipt cannot prove.
    public let fingerprint: KeyFingerprint

    private static let statementRules = FileRules(
        title: "receipt",
        maxSize: ReceiptStatement.maxByteCount,
        isTrusted: false
    )
    private static let signatureRules = FileRules(title: "signature", maxSize: 4096, isTrusted: false)

    /// Reads the statement at `path`, which ends with ``statementSuffix``, and the signature beside it, and verifies both.
    /// Waits for the disk.
    ///
    /// - Parameter expected: the key that has to have signed it; nil for any.
    /// - Throws: `.usage` for a path with another ending; `.noInput` or `.io` where one of the files cannot be
    ///   read; `.damaged` where they are not what a server wrote, or another key signed it.
    public static func read(path: [UInt8], signedBy expected: KeyFingerprint?) throws(FxferError) -> KeptReceipt {
        let name = EscapedText.escape(path)
        guard path.count > Self.statementSuffix.utf8.count,
            path.suffix(Self.statementSuffix.utf8.count)
                .elementsEqual(Self.statementSuffix.utf8)
        else {
            throw FxferError(.usage, "'\(name)' is no receipt by its name; name the file that ends with .receipt.json")
        }
        let signaturePath = path.dropLast(Self.statementSuffix.utf8.count) + Array(Self.signatureSuffix.utf8)
        let bytes = try Self.statementRules.read(path: path)
        let signature = try Self.signatureRules.read(path: Array(signaturePath))
        guard let statement = ReceiptStatement(reading: bytes) else {
            throw FxferError(
                .damaged,
                "'\(name)' is not as a server wrote it: it is damaged or no receipt of version 1"
            )
        }
        guard let key = PublicKey(statement.key) else {
            throw FxferError(.damaged, "'\(name)' names a key that is none on P-256, or not the one of its fingerprint")
        }
        guard key.isSignature(signature, of: bytes) else {
            throw FxferError(.damaged, "'\(name)' and its signature do not belong together: one of them was changed")
        }
        if let expected, key.fingerprint != expected {
            throw FxferError(
                .damaged,
                "'\(name)' is signed by the key \(key.fingerprint), not by \(expected) as --server-key says"
            )
        }
        return KeptReceipt(statement: statement, fingerprint: key.fingerprint)
    }
}
