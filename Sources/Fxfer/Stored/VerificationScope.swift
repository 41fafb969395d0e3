import FxferProtocol
import FxferStorage

/// Which stored files are verified.
public struct VerificationScope: Sendable {
    /// What is done about files of which the ledger says nothing.
    public enum Unknown: String, Sendable, CaseIterable {
        /// Nothing: they are not even looked for.
        case ignore
        /// They are named.
        case report
        /// They are read, made durable and written into the ledger.
        case adopt
    }

    /// Files, and folders with all that is beneath; everything where there are none.
    public var paths: [RelativePath] = []
    /// Only what was stored then or later; files of which the ledger says nothing are left aside then.
    public var since: FileTime?
    /// What is done about files of which the ledger says nothing.
    public var unknown = Unknown.report

    /// Everything.
    public init() {}

    package var stored: Verification.Scope {
        var scope = Verification.Scope()
        scope.paths = self.paths
        scope.since = self.since
        scope.unknown =
            switch self.unknown {
            case .ignore: .ignore
            case .report: .report
            case .adopt: .adopt
            }
        return scope
    }
}
