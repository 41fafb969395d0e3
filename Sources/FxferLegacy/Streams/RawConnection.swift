import FxferNetwork
import FxferProtocol
import NIOCore
import NIOPosix
import Synchronization

/// A TCP connection without frames, used as the textbook's programs use a socket: one read is one message, one send is
/// one write.
package struct RawConnection: Sendable {
    typealias Messages = InboundStream<ByteBuffer>

    private let channel: any Channel
    private let messages: Messages
    /// How long a peer may take to read what is sent to it.
    private let timeout: Duration

    /// Takes over a channel. Must be called on its event loop.
    ///
    /// - Parameter peer: the other end, for messages.
    init(wrapping channel: any Channel, peer: String, timeout: Duration) throws {
        self.messages = try InboundStream(from: channel) { $0.readableBytes }
        self.channel = channel
        self.timeout = timeout
        self.peer = peer
    }

    /// Connects to a server; each read takes up to `readSize` bytes.
    ///
    /// - Throws: `cannotConnect`, which names every address that was tried.
    static func connect(
        to endpoint: Endpoint,
        readSize: Int,
        timeout: Duration
    ) async throws(FxferError) -> RawConnection {
        try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: readSize))
            .connect(to: endpoint, timeout: timeout) { channel in
                try RawConnection(wrapping: channel, peer: endpoint.description, timeout: timeout)
            }
    }

    /// The other end, for messages: where this side connected, or the client's address.
    let peer: String

    /// Whether the peer is on this machine.
    var isFromSameMachine: Bool { SameMachine.isSameMachine(self.channel) }

    /// Runs `body` with the peer's messages and closes the connection afterwards.
    func withMessages<Result: Sendable>(_ body: (Messages) async throws -> Result) async throws -> Result {
        defer { self.channel.close(promise: nil) }
        do {
            return try await body(self.messages)
        } catch let error as FxferError {
            throw error
        } catch let error as CancellationError {
            throw error
        } catch {
            throw FxferError(
                .connectionLost,
                "the connection with \(self.peer) broke: \(NetworkErrorText.text(of: error))",
                cause: error
            )
        }
    }

    /// Sends bytes in a single write; returns when the socket has taken them.
    ///
    /// - Throws: an error of the channel, also where the peer did not read for too long.
    func send(_ bytes: [UInt8]) async throws {
        try await self.channel.write(ByteBuffer(bytes: bytes), within: self.timeout)
    }

    /// Streams a file and the thanks behind it; see ``FileStream``.
    func send(_ stream: FileStream) async throws -> FileStream.Summary {
        try await stream.send(to: self.channel, timeout: self.timeout)
    }

    /// The next message: what one read brought. Nil at the end of the peer's stream.
    ///
    /// - Throws: `timedOut` where the peer says nothing for too long, and errors of the channel.
    func next(
        _ messages: inout Messages.AsyncIterator,
        isolation: isolated (any Actor)? = #isolation
    ) async throws -> ByteBuffer? {
        let expiry = Expiry()
        let channel = self.channel
        let task = channel.eventLoop.scheduleTask(in: TimeAmount(self.timeout)) {
            expiry.isOver.store(true, ordering: .relaxed)
            channel.close(promise: nil)
        }
        defer { task.cancel() }
        let message = try await messages.next(isolation: isolation)
        if message == nil, expiry.isOver.load(ordering: .relaxed) {
            throw FxferError(.timedOut, "\(self.peer) said nothing for \(self.timeout); try again")
        }
        return message
    }

    /// Whether a time limit has passed.
    private final class Expiry: Sendable {
        let isOver = Atomic(false)
    }

    /// Ends this side's stream in order, and waits a bounded time for the peer to do the same.
    func end(
        _ messages: inout Messages.AsyncIterator,
        isolation: isolated (any Actor)? = #isolation
    ) async throws {
        let channel = self.channel
        try await channel.close(mode: .output)
        let expiry = channel.eventLoop.scheduleTask(in: Self.lingerTime) { channel.close(promise: nil) }
        defer { expiry.cancel() }
        while try await messages.next(isolation: isolation) != nil {}
    }

    private static let lingerTime = TimeAmount.seconds(2)
}

extension Channel {
    /// Writes and flushes; closes the channel where the peer does not take the bytes in time.
    func write(_ bytes: ByteBuffer, within timeout: Duration) async throws {
        let expiry = self.eventLoop.scheduleTask(in: TimeAmount(timeout)) { self.close(promise: nil) }
        defer { expiry.cancel() }
        try await self.writeAndFlush(bytes)
    }
}
