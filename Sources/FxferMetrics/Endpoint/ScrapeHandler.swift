import NIOCore
import NIOHTTP1

/// Answers one HTTP request, `GET` or `HEAD` of `/metrics` or `/healthz`, and ends the connection. Whatever a client does,
/// that takes a bounded time.
final class ScrapeHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// How long a connection may take in all.
    static let deadline = TimeAmount.seconds(5)
    /// How long a client may take to read the answer and close: closed at once, the connection could be reset while it
    /// still sends, and the answer be lost.
    static let lingerTime = TimeAmount.seconds(1)

    private let registry: PrometheusRegistry
    private let health: MetricsEndpoint.Health
    private var hasAnswered = false

    init(_ registry: PrometheusRegistry, _ health: @escaping MetricsEndpoint.Health = { ("serving", true) }) {
        self.registry = registry
        self.health = health
    }

    /// Prepares a new connection. Must be called on its event loop.
    static func install(
        on channel: any Channel,
        _ registry: PrometheusRegistry,
        _ health: @escaping MetricsEndpoint.Health = { ("serving", true) }
    ) throws {
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(RequestLimit())
        try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: false, withErrorHandling: false)
        try pipeline.addHandler(ScrapeHandler(registry, health))
        Self.close(channel, in: Self.deadline)
    }

    private static func close(_ channel: any Channel, in time: TimeAmount) {
        let closing = channel.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in closing.cancel() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // A body, and further requests, are of no interest.
        guard case .head(let request) = self.unwrapInboundIn(data) else { return }
        let path = request.uri.prefix { $0 != "?" }
        switch (path, request.method) {
        case ("/metrics", .GET):
            self.answer(.ok, self.registry.text, context)
        case ("/metrics", .HEAD):
            self.answer(.ok, self.registry.text, context, hasBody: false)
        case ("/healthz", .GET), ("/healthz", .HEAD):
            let (state, isFit) = self.health()
            let status: HTTPResponseStatus = isFit ? .ok : .serviceUnavailable
            self.answer(status, "\(state)\n", context, hasBody: request.method == .GET, isMetrics: false)
        case ("/metrics", _), ("/healthz", _):
            self.answer(.methodNotAllowed, "only GET and HEAD\n", context, [("Allow", "GET, HEAD")])
        default:
            self.answer(.notFound, "only /metrics and /healthz are here\n", context, hasBody: request.method != .HEAD)
        }
    }

    /// The request is none, or too long; or the connection broke.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case is RequestLimit.Exceeded:
            self.answer(.requestHeaderFieldsTooLarge, "the request is too long\n", context)
        case is HTTPParserError:
            self.answer(.badRequest, "that is no HTTP request\n", context)
        default:
            // Where there is an answer, the client may still be reading it.
            if !self.hasAnswered { context.close(promise: nil) }
        }
    }

    private func answer(
        _ status: HTTPResponseStatus,
        _ text: String,
        _ context: ChannelHandlerContext,
        _ headers: [(String, String)] = [],
        hasBody: Bool = true,
        isMetrics: Bool = true
    ) {
        // The decoder complains of a connection that ends within a request.
        guard !self.hasAnswered, context.channel.isActive else { return }
        self.hasAnswered = true
        let type = status == .ok && isMetrics ? "text/plain; version=0.0.4; charset=utf-8" : "text/plain; charset=utf-8"
        var head = HTTPResponseHead(version: .http1_1, status: status)
        head.headers.add(contentsOf: headers)
        head.headers.add(name: "Content-Type", value: type)
        head.headers.add(name: "Content-Length", value: "\(text.utf8.count)")
        head.headers.add(name: "Connection", value: "close")
        context.write(self.wrapOutboundOut(.head(head)), promise: nil)
        if hasBody {
            context.write(self.wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
        }
        let channel = context.channel
        context.writeAndFlush(self.wrapOutboundOut(.end(nil))).whenComplete { _ in
            channel.close(mode: .output, promise: nil)
            Self.close(channel, in: Self.lingerTime)
        }
    }
}
