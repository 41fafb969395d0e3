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
        var files: [OutputFolder.File] = []
        var places: [Range<Int>] = []
        var failures = receipts.map { receipt in
            let start = files.count
            defer { places.append(start..<files.count) }
            guard let signed = receipt.signed else { return FxferError?.none }
            do throws(PathRule) {
                let statement = try RelativePath(bytes: receipt.path + Array(KeptReceipt.statementSuffix.utf8))
                let signature = try RelativePath(bytes: receipt.path + Array(KeptReceipt.signatureSuffix.utf8))
                files += [.init(signature, signed.signature), .init(statement, signed.statement)]
                return nil
            } catch {
                return self.failure(receipt, FxferError(.io, "its name \(error.explanation)", cause: error))
            }
        }
        let results = self.folder.write(files)
        for (index, place) in places.enumerated() {
            guard let error = results[place].compactMap({ $0 }).first else { continue }
            failures[index] = self.failure(receipts[index], error)
        }
        return failures
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
