import FxferNetwork
import NIOCore

/// Stands behind TLS and cuts what goes in and out to the sizes at which NIOSSL is fast.
final class TLSPortions: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// How much is encrypted at once: it and its ciphertext stay in the processor's cache until the socket has it. 256 KiB
    /// take 3 % less CPU of both ends than 128 KiB.
    private static let writeSize = 262_144
    /// The most that is decrypted at once: NIOSSL keeps as much memory, and more is not faster (64 KiB are 10 % slower).
    private static let readSize = 131_072

    /// Puts one in the pipeline behind `handler`, and limits what is read from the socket at once.
    static func add(to channel: any Channel, after handler: any ChannelHandler) throws {
        try channel.pipeline.syncOperations.addHandler(TLSPortions(), position: .after(handler))
        if let options = channel.syncOptions,
            let reads = try options.getOption(.recvAllocator) as? BudgetedReadAllocator
        {
            try options.setOption(.recvAllocator, value: reads.limited(to: Self.readSize))
        }
    }

    /// NIOSSL decrypts into one buffer again and again, if nobody else holds it then; else it copies all of the
    /// buffer's capacity, used or not. So what is used is copied here.
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let plaintext = self.unwrapInboundIn(data)
        var copy = context.channel.allocator.buffer(capacity: plaintext.readableBytes)
        copy.writeImmutableBuffer(plaintext)
        context.fireChannelRead(self.wrapInboundOut(copy))
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        var rest = self.unwrapOutboundIn(data)
        while rest.readableBytes > Self.writeSize, let portion = rest.readSlice(length: Self.writeSize) {
            context.writeAndFlush(self.wrapOutboundOut(portion), promise: nil)
        }
        context.write(self.wrapOutboundOut(rest), promise: promise)
    }
}
