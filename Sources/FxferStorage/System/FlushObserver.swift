import NIOCore
import Synchronization

/// Who is told how long each fsync(2) of this process took, whether it succeeded or not: a server that keeps metrics.
package final class FlushObserver: Sendable {
    /// That of all ``OwnedDescriptor``s.
    package static let process = FlushObserver()

    // An object: a bare function would be wrapped once more each time that the lock hands it out.
    private final class Observer: Sendable {
        let observe: @Sendable (TimeAmount) -> Void

        init(_ observe: @escaping @Sendable (TimeAmount) -> Void) {
            self.observe = observe
        }
    }

    /// Nil where nobody wants to know.
    private let observer = Mutex<Observer?>(nil)

    init() {}

    /// An fsync(2) that began then has returned just now.
    func flushed(since began: NIODeadline) {
        guard let observer = self.observer.withLock({ $0 }) else { return }
        observer.observe(NIODeadline.now() - began)
    }

    /// From now on `observe` is told, on whatever thread the call was made, and nobody else.
    package func set(_ observe: @escaping @Sendable (TimeAmount) -> Void) {
        let observer = Observer(observe)
        self.observer.withLock { $0 = observer }
    }
}
