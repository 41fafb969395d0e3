import Glibc
import Synchronization

/// How many files, folders and served connections may be open at once, fewer than the system allows: the rest is for
/// libraries. libdispatch opens /proc/TID/stat now and then, and ends the process where it gets no descriptor for it.
package final class DescriptorBudget: Sendable {
    /// That of all ``OwnedDescriptor``s, and of a server's connections.
    package static let process = DescriptorBudget()

    private let limit = Atomic(Int.max)
    private let open = Atomic(0)

    init() {}

    /// From now on, so many may be open; those that are stay open.
    package func limit(to count: Int) {
        self.limit.store(count, ordering: .relaxed)
    }

    /// To be called before a file is opened, or for a connection that is to be served.
    ///
    /// - Throws: EMFILE, as the system does.
    package func take() throws(Errno) {
        let open = self.open.wrappingAdd(1, ordering: .relaxed).newValue
        guard open <= self.limit.load(ordering: .relaxed) else {
            self.giveBack()
            throw Errno(EMFILE)
        }
    }

    /// To be called when it is closed, or could not be opened.
    package func giveBack() {
        self.open.wrappingSubtract(1, ordering: .relaxed)
    }
}
