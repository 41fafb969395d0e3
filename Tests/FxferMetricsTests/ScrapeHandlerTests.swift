import CoreMetrics
import NIOCore
import NIOEmbedded
import Testing

@testable import FxferMetrics

@Suite("An HTTP request for metrics")
struct ScrapeHandlerTests {
    private let registry: PrometheusRegistry

    init() {
        self.registry = PrometheusRegistry()
        Counter(label: "n", factory: self.registry).increment()
    }

    private func channel() throws -> EmbeddedChannel {
        let channel = EmbeddedChannel()
        try ScrapeHandler.install(on: channel, self.registry)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        return channel
    }

    /// Everything that was answered.
    private func answer(_ channel: EmbeddedChannel) throws -> String {
        var answer = ""
        while let bytes = try channel.readOutbound(as: ByteBuffer.self) { answer += String(buffer: bytes) }
        return answer
    }

    /// What is answered to a client that says this, in one piece or byte by byte.
    private func answer(to request: String, inBytes: Bool = false) throws -> String {
        let channel = try self.channel()
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        for piece in inBytes ? request.utf8.map({ [$0] }) : [Array(request.utf8)] {
            // The decoder's errors are thrown here, too.
            _ = try? channel.writeInbound(ByteBuffer(bytes: piece))
        }
        return try self.answer(channel)
    }

    @Test("gets them, and the connection ends", arguments: [false, true])
    func get(inBytes: Bool) throws {
        let answer = try self.answer(to: "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", inBytes: inBytes)
        #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(answer.contains("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"))
        #expect(answer.contains("Content-Length: 21\r\n"))
        #expect(answer.contains("Connection: close\r\n"))
        #expect(answer.hasSuffix("\r\n\r\n# TYPE n counter\nn 1\n"))
    }

    @Test("may have a query, and further requests behind it that nobody answers")
    func more() throws {
        let request = "GET /metrics?x=y HTTP/1.1\r\nHost: x\r\n\r\n"
        #expect(try self.answer(to: request + request) == self.answer(to: request))
    }

    @Test("by HEAD gets the headers only")
    func head() throws {
        let answer = try self.answer(to: "HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(answer.contains("Content-Length: 21\r\n"))
        #expect(answer.hasSuffix("\r\n\r\n"))
    }

    @Test(
        "of another kind is refused",
        arguments: [
            ("GET / HTTP/1.1", 404), ("GET /metrics/ HTTP/1.1", 404), ("GET //metrics HTTP/1.1", 404),
            ("GET /METRICS HTTP/1.1", 404), ("HEAD /x HTTP/1.1", 404), ("POST /x HTTP/1.1", 404),
            ("POST /metrics HTTP/1.1", 405), ("DELETE /metrics HTTP/1.1", 405), ("OPTIONS /metrics HTTP/1.1", 405),
            ("nonsense", 400), ("GET /metrics HTTP/9", 400), ("GET /metrics HTTP/1.1\r\nbad header", 400),
        ]
    )
    func refused(request: String, status: Int) throws {
        let answer = try self.answer(to: request + "\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 \(status) "))
        #expect(!answer.contains("n 1\n"))
    }

    @Test("that is too long is refused, however it comes", arguments: [false, true])
    func tooLong(inBytes: Bool) throws {
        let padding = String(repeating: "x", count: RequestLimit.maxBytes)
        for request in ["GET /\(padding)", "GET /metrics HTTP/1.1\r\nX: \(padding)"] {
            let answer = try self.answer(to: request, inBytes: inBytes)
            #expect(answer.hasPrefix("HTTP/1.1 431 "))
        }
    }

    @Test("that is as long as one may be is answered")
    func longest() throws {
        let around = "GET /metrics HTTP/1.1\r\nX: \r\n\r\n"
        let padding = String(repeating: "x", count: RequestLimit.maxBytes - around.utf8.count)
        let request = "GET /metrics HTTP/1.1\r\nX: \(padding)\r\n\r\n"
        #expect(try self.answer(to: request).hasPrefix("HTTP/1.1 200 "))
        #expect(try self.answer(to: request + "y").hasPrefix("HTTP/1.1 431 "))
    }

    @Test("that does not end is dropped at the deadline, without a word")
    func slow() throws {
        let channel = try self.channel()
        try channel.writeInbound(ByteBuffer(string: "GET /metr"))
        channel.embeddedEventLoop.advanceTime(by: ScrapeHandler.deadline - .nanoseconds(1))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .nanoseconds(1))
        #expect(!channel.isActive)
        #expect(try self.answer(channel) == "")
    }
}
