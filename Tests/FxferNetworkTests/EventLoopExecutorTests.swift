import Dispatch
import NIOCore
import NIOPosix
import Testing

@testable import FxferNetwork

@Suite("The executor of a connection")
struct EventLoopExecutorTests {
    /// Something that runs on an event loop, like a connection.
    private actor Subject {
        nonisolated let eventLoop: any EventLoop
        private nonisolated let executor: EventLoopExecutor

        nonisolated var unownedExecutor: UnownedSerialExecutor { self.executor.asUnownedSerialExecutor() }

        init(_ eventLoop: any EventLoop) {
            self.eventLoop = eventLoop
            self.executor = EventLoopExecutor(eventLoop)
        }

        /// Whether it is on the loop at its start, after a wait that another thread ends, and in what is isolated to
        /// nothing.
        func places() async -> [Bool] {
            await withTaskExecutorPreference(self.executor) {
                var places = [self.eventLoop.inEventLoop]
                await withCheckedContinuation { continuation in
                    DispatchQueue.global().async { continuation.resume() }
                }
                places.append(self.eventLoop.inEventLoop)
                places.append(await Self.isOn(self.eventLoop))
                async let child = Self.isOn(self.eventLoop)
                places.append(await child)
                return places
            }
        }

        @concurrent
        private static func isOn(_ eventLoop: any EventLoop) async -> Bool {
            eventLoop.inEventLoop
        }

        /// Ends the process where the executor does not know its loop.
        nonisolated func assume() -> Bool {
            self.assumeIsolated { $0.eventLoop.inEventLoop }
        }
    }

    @Test("keeps a task on the loop, whoever wakes it")
    func places() async {
        let subject = Subject(MultiThreadedEventLoopGroup.singleton.next())
        #expect(await subject.places() == [true, true, true, true])
    }

    @Test("is told apart from others by its loop")
    func isolation() async throws {
        let subject = Subject(MultiThreadedEventLoopGroup.singleton.next())
        #expect(try await subject.eventLoop.submit { subject.assume() }.get())
    }
}
