import FxferProtocol
import FxferStorage
import FxferTrust

/// A folder in which signed receipts are kept: for the file `a/b` at the server `a/b.receipt.json`, which is the
/// statement, and `a/b.receipt.sig`, its signature. One of the same name is replaced.
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
        let statement = try RelativePath(bytes: receipt.path + Array(KeptReceipt.statementSuffix.utf8))
        let signature = try RelativePath(bytes: receipt.path + Array(KeptReceipt.signatureSuffix.utf8))
        return [.init(statement, signed.statement), .init(signature, signed.signature)]
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
