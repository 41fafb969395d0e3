import NIOCore

/// Stands before the HTTP decoder and lets no more than a few bytes through to it: what comes after them is thrown away.
final class RequestLimit: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// How many bytes a client may say in all: 8 KiB. A scraper says some hundred.
    static let maxBytes = 8192

    /// The client said more than that.
    struct Exceeded: Error {}

    private var left = RequestLimit.maxBytes

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let count = self.unwrapInboundIn(data).readableBytes
        guard self.left >= 0 else { return }
        self.left -= count
        if self.left >= 0 {
            context.fireChannelRead(data)
        } else {
            context.fireErrorCaught(Exceeded())
        }
    }
}
