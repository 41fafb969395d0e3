import NIOCore
import Synchronization

/// Who is told how long each fsync(2) of this process took, whether it succeeded or not: a server that keeps metrics.
package final class FlushObserver: Sendable {
    /// That of all ``OwnedDescriptor``s.
    package static let process = FlushObserver()

    private let observer = Mutex<(@Sendable (TimeAmount) -> Void)?>(nil)

    init() {}

    /// nil where nobody wants to know.
    var current: (@Sendable (TimeAmount) -> Void)? { self.observer.withLock { $0 } }

    /// From now on `observe` is told, on whatever thread the call was made, and nobody else.
    package func set(_ observe: @escaping @Sendable (TimeAmount) -> Void) {
        self.observer.withLock { $0 = observe }
    }
}
