import Glibc
import Synchronization
import Testing

@testable import FxferStorage

@Suite("Who is told of each fsync")
struct FlushObserverTests {
    /// What an observer was told on one thread; other tests flush on theirs.
    private final class Times: Sendable {
        private let thread = pthread_self()
        private let times = Mutex<[Int64]>([])

        var all: [Int64] { self.times.withLock { $0 } }

        func add(_ nanoseconds: Int64) {
            guard pthread_equal(pthread_self(), self.thread) != 0 else { return }
            self.times.withLock { $0.append(nanoseconds) }
        }
    }

    @Test("nobody, unless somebody wants to know; then each time")
    func each() {
        let (observer, times) = (FlushObserver(), Times())
        observer.flushed(since: .now())
        observer.set { times.add($0.nanoseconds) }
        // Enough to overflow the stack if each call wrapped the next.
        for _ in 0..<200_000 { observer.flushed(since: .now()) }
        #expect(times.all.count == 200_000)
    }

    @Test("is told how long it took, also where it failed")
    func told() throws {
        let times = Times()
        FlushObserver.process.set { times.add($0.nanoseconds) }
        try OwnedDescriptor.open(.itself, O_RDONLY | O_DIRECTORY).sync()
        #expect(times.all.count == 1)
        let device = try OwnedDescriptor.open(CPath("/dev/null"), O_RDONLY)
        #expect(throws: Errno(EINVAL)) { try device.sync() }
        #expect(times.all.count == 2)
        #expect(times.all.allSatisfy { $0 >= 0 })
    }
}
