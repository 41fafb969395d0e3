import FxferProtocol
import FxferStorage
import FxferTrust

/// A folder in which signed receipts are kept: for the file `a/b` at the server `a/b.receipt.json`, which is the
/// statement, and `a/b.receipt.sig`, its signature. One of the same name is replaced. Where a name would be too long, the
/// file's own is cut (``name(of:)``).
public final class ReceiptFolder: Sendable {
    private let folder: OutputFolder
    /// The folder's path, escaped.
    private let name: String

    /// Opens the folder at `path`, made where it is missing.
    ///
    /// - Throws: `io` where that is not possible.
    public init(path: [UInt8]) throws(FxferError) {
        self.name = EscapedText.escape(path)
        self.folder = try OutputFolder(path: path)
    }

    /// Writes receipts, durably. Waits for the disk.
    ///
    /// - Returns: for each why it is not there as a whole (`io`, `noSpace`); nil where it is, or there was none.
    public func keep(_ receipts: [TransferReceipt]) -> [FxferError?] {
        var groups: [[OutputFolder.File]] = []
        var failures = receipts.map { receipt in
            do throws(PathRule) {
                groups.append(try Self.files(of: receipt))
                return FxferError?.none
            } catch {
                groups.append([])
                return self.failure(receipt, FxferError(.io, "its name \(error.explanation)", cause: error))
            }
        }
        for (index, error) in self.folder.write(groups).enumerated() {
            if let error { failures[index] = self.failure(receipts[index], error) }
        }
        return failures
    }

    /// The two files of a receipt; none where it is not signed.
    private static func files(of receipt: TransferReceipt) throws(PathRule) -> [OutputFolder.File] {
        guard let signed = receipt.signed else { return [] }
        let name = Self.name(of: receipt.path)
        let statement = try RelativePath(bytes: name + Array(KeptReceipt.statementSuffix.utf8))
        let signature = try RelativePath(bytes: name + Array(KeptReceipt.signatureSuffix.utf8))
        return [.init(statement, signed.statement), .init(signature, signed.signature)]
    }

    /// What the two files are called without their endings: as the file itself. Of a last component of more than 242
    /// bytes only the beginning is taken, at most 209 bytes and whole characters of UTF-8, then `~` and the first 32
    /// hexadecimal digits of the component's SHA-256, so that with the ending it has 255 bytes at the most. The statement
    /// has the path as it is.
    private static func name(of path: [UInt8]) -> [UInt8] {
        let last = path[((path.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1)...]
        let limit = RelativePath.maxComponentBytes - KeptReceipt.statementSuffix.utf8.count
        guard last.count > limit else { return path }
        var hash = SHA256()
        last.withUnsafeBytes { hash.update($0) }
        let mark = [UInt8(ascii: "~")] + hash.digest().hex.utf8.prefix(32)
        var end = last.startIndex + limit - mark.count
        // A byte of 10xxxxxx goes on with a character.
        while end > last.startIndex, last[end] & 0xC0 == 0x80 { end -= 1 }
        return path[..<end] + mark
    }

    private func failure(_ receipt: TransferReceipt, _ error: FxferError) -> FxferError {
        let path = EscapedText.escape(receipt.path)
        return FxferError(
            error.code == .noSpace ? .noSpace : .io,
            "'\(path)' is stored, but its receipt could not be written below '\(self.name)': \(error.message)",
            cause: error
        )
    }
}
