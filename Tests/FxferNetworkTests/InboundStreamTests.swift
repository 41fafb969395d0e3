import NIOCore
import NIOEmbedded
import NIOPosix
import Testing

@testable import FxferNetwork

/// Runs what is isolated to it on one thread, as a channel in memory has to be used on.
@globalActor
actor OneThread {
    static let shared = OneThread()
    private nonisolated let loop = MultiThreadedEventLoopGroup.singleton.next()

    nonisolated var unownedExecutor: UnownedSerialExecutor { self.loop.executor.asUnownedSerialExecutor() }
}

@Suite("A stream of what a channel brings in")
@OneThread
struct InboundStreamTests {
    private struct Failure: Error {}

    /// Counts the reads that come through to the socket.
    private final class ReadCounter: ChannelOutboundHandler {
        typealias OutboundIn = Never
        var count = 0

        func read(context: ChannelHandlerContext) {
            self.count += 1
            context.read()
        }
    }

    /// A connected channel in memory that ends with a stream.
    private final class Subject {
        let channel = EmbeddedChannel()
        let counter = ReadCounter()
        private(set) var stream: InboundStream<ByteBuffer>?

        init(_ budget: ReadBudget = ReadBudget(bytes: 8 << 20)) throws {
            try self.channel.pipeline.syncOperations.addHandler(self.counter)
            self.stream = try InboundStream(from: self.channel, budget) { $0.readableBytes }
            self.channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        }

        func receive(_ count: Int) throws {
            try self.channel.writeInbound(ByteBuffer(repeating: 1, count: count))
        }

        /// Whether a read that is asked for now reaches the socket.
        func reads() -> Bool {
            let before = self.counter.count
            self.channel.read()
            return self.counter.count > before
        }

        func letGo() { self.stream = nil }
    }

    @Test("elements come in their order, and then the end")
    func order() async throws {
        let subject = try Subject()
        for count in 1...3 { try subject.receive(count) }
        subject.channel.pipeline.fireChannelInactive()
        var parts = try #require(subject.stream).makeAsyncIterator()
        for count in 1...3 { #expect(try await parts.next(isolation: OneThread.shared)?.readableBytes == count) }
        for _ in 1...2 { #expect(try await parts.next(isolation: OneThread.shared) == nil) }
    }

    @Test("an error comes once, behind what came before it")
    func failure() async throws {
        let subject = try Subject()
        try subject.receive(1)
        subject.channel.pipeline.fireErrorCaught(Failure())
        var parts = try #require(subject.stream).makeAsyncIterator()
        #expect(try await parts.next(isolation: OneThread.shared)?.readableBytes == 1)
        await #expect(throws: Failure.self) { _ = try await parts.next(isolation: OneThread.shared) }
        #expect(try await parts.next(isolation: OneThread.shared) == nil)
    }

    @Test("the socket is not read while enough waits", arguments: [(1, 1_048_576), (8, 1)])
    func backpressure(count: Int, size: Int) throws {
        let subject = try Subject()
        for _ in 1..<count { try subject.receive(size) }
        #expect(subject.reads())
        try subject.receive(size)
        #expect(!subject.reads())
        let before = subject.counter.count
        _ = subject.stream?.takeWaiting { _ in true }
        // The read that was held back.
        #expect(subject.counter.count == before + 1)
        #expect(subject.reads())
    }

    @Test("what waits is taken without waiting only where it fits the condition")
    func taking() throws {
        let subject = try Subject()
        let stream = try #require(subject.stream)
        #expect(stream.takeWaiting { _ in true } == nil)
        try subject.receive(2)
        #expect(stream.takeWaiting { $0.readableBytes == 1 } == nil)
        #expect(stream.takeWaiting { $0.readableBytes == 2 }?.readableBytes == 2)
    }

    @Test("a channel whose stream is let go of is closed")
    func lettingGo() throws {
        let subject = try Subject()
        #expect(subject.channel.isActive)
        subject.letGo()
        #expect(!subject.channel.isActive)
    }

    @Test("where the budget is spent, the socket is not read while anything waits or is worked on")
    func spentBudget() async throws {
        let budget = ReadBudget(bytes: 2)
        let (subject, other) = (try Subject(budget), try Subject(budget))
        var parts = try #require(subject.stream).makeAsyncIterator()
        try subject.receive(1)
        #expect(subject.reads())
        try other.receive(1)
        #expect(!subject.reads())
        #expect(try await parts.next(isolation: OneThread.shared)?.readableBytes == 1)
        #expect(!subject.reads())
        // Who has nothing goes on, so that everybody does some time.
        _ = other.stream?.takeWaiting { _ in true }
        #expect(!other.reads())
        #expect(try Subject(budget).reads())
        let before = subject.counter.count
        async let next = parts.next(isolation: OneThread.shared)
        while subject.counter.count == before { await Task.yield() }
        #expect(!budget.isSpent)
        try subject.receive(1)
        #expect(try await next?.readableBytes == 1)
    }

    @Test("what a stream holds is given back when it is let go of, and when its reader is cancelled")
    func givingBack() throws {
        let budget = ReadBudget(bytes: 2)
        let subject = try Subject(budget)
        try subject.receive(1)
        _ = subject.stream?.takeWaiting { _ in true }
        try subject.receive(1)
        #expect(budget.isSpent)
        subject.letGo()
        subject.channel.embeddedEventLoop.run()
        #expect(!budget.isSpent)
        let queue = InboundQueue<Int>(budget) { $0 }
        queue.add(2)
        #expect(budget.isSpent)
        queue.cancel()
        #expect(!budget.isSpent)
    }

    @Test("a reader who waits is cancelled")
    func cancellation() async throws {
        let queue = InboundQueue<Int>(.shared) { _ in 1 }
        queue.add(1)
        queue.cancel()
        await #expect(throws: CancellationError.self) {
            try await withCheckedThrowingContinuation { queue.take($0) }
        }
        #expect(try await withCheckedThrowingContinuation { queue.take($0) } == nil)
    }
}
