import Fxfer
import FxferProtocol

/// A look at every source before anything is sent.
struct SourceCheck {
    /// The bytes of all sources together; nil where that is not known before they are read (folders, standard input).
    private(set) var totalSize: UInt64? = 0
    /// Whether a folder is among them.
    private(set) var hasFolder = false
    /// What is wrong with those that cannot be sent, in their order.
    private(set) var errors: [FxferError] = []

    init(of sources: [Upload.Source]) async {
        let paths = sources.compactMap { source in
            if case .path(let path) = source { path } else { nil }
        }
        if paths.count < sources.count { self.totalSize = nil }
        do {
            for look in try await LocalFile.look(at: paths) {
                self.note(look)
            }
        } catch {
            self.errors.append(FxferError(wrapping: error))
        }
    }

    private mutating func note(_ look: Result<FileAttributes, FxferError>) {
        switch look {
        case .success(let attributes) where attributes.isFolder:
            self.hasFolder = true
            self.totalSize = nil
        case .success(let attributes):
            self.totalSize = self.totalSize.map { $0.addingReportingOverflow(attributes.size ?? 0).partialValue }
        case .failure(let error):
            self.errors.append(error)
        }
    }
}
