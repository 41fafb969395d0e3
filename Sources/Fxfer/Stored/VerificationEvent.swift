import FxferProtocol
import FxferStorage

/// What ``StoredFiles/verify(_:limiter:event:)`` and ``StoredFiles/repair(_:from:folder:limiter:event:)`` tell.
public enum VerificationEvent: Hashable, Sendable {
    /// So many files are to be read, of so many bytes together.
    case began(files: Int, bytes: UInt64)
    /// So many bytes were read so far.
    case progress(bytes: UInt64)
    /// The file has other content than it was stored with: in these bytes, as far as that is known. It was `rewritten`
    /// where its size or time is another, too; otherwise it decayed, or somebody has set the time back.
    case changed(RelativePath, ranges: [Range<UInt64>], isRewritten: Bool)
    /// The file is not there.
    case missing(RelativePath)
    /// The file or folder of that path could not be read; why.
    ///
    /// It has decayed where the disk does not give what was stored there.
    case unreadable([UInt8], String, hasDecayed: Bool)
    /// Something is there, and the ledger says nothing of it; why it was not adopted, where it was to be.
    case unknown([UInt8], reason: String?)
    /// Such a file, which is in the ledger from now on.
    case adopted(RelativePath, Digest)
    /// A file that has decayed is as it was stored again: so many damaged chunks were replaced; none where somebody else
    /// has done that.
    case repaired(RelativePath, chunks: Int)
    /// Such a file is still damaged; why.
    case notRepaired(RelativePath, String)
    /// The ledger is damaged: "line 3: it is not as it was written".
    case ledger(String)

    package init(_ finding: StoredFinding) {
        self =
            switch finding {
            case .changed(let path, let change):
                .changed(path, ranges: change.ranges, isRewritten: change.isRewritten)
            case .missing(let path): .missing(path)
            case .unreadable(let path, let reason, let hasDecayed): .unreadable(path, reason, hasDecayed: hasDecayed)
            case .unknown(let path, let reason): .unknown(path, reason: reason)
            case .adopted(let path, let digest): .adopted(path, digest)
            case .ledger(let damage): .ledger(damage)
            }
    }
}
