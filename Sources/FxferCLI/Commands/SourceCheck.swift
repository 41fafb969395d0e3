import Fxfer
import FxferProtocol

/// A look at every source before anything is sent.
struct SourceCheck {
    /// The bytes of all sources together.
    private(set) var totalSize: UInt64 = 0
    /// What is wrong with those that cannot be sent, in their order.
    private(set) var errors: [FxferError] = []

    init(of sources: [[UInt8]]) async {
        for source in sources {
            do {
                let size = try await LocalFile(path: source).size
                self.totalSize = self.totalSize.addingReportingOverflow(size).partialValue
            } catch {
                self.errors.append(FxferError(wrapping: error))
            }
        }
    }
}
