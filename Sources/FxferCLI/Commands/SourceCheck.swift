import Fxfer
import FxferProtocol

/// Looks at every source before anything is sent.
enum SourceCheck {
    /// The bytes of all sources together.
    ///
    /// Names each source that cannot be sent on standard error.
    ///
    /// - Throws: the first one's error, where any cannot be sent.
    static func totalSize(of sources: [[UInt8]]) async throws -> UInt64 {
        var total: UInt64 = 0
        var errors: [FxferError] = []
        for source in sources {
            do {
                let size = try await LocalFile(path: source).size
                total = total.addingReportingOverflow(size).partialValue
            } catch {
                errors.append(FxferError(wrapping: error))
            }
        }
        guard let first = errors.first else { return total }
        for error in errors.dropFirst() {
            StandardStream.error.write(line: "fxfer: \(error.message)")
        }
        throw first
    }
}
