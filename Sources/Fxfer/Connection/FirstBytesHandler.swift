import NIOCore

/// Stands first in a server's pipeline until the first bytes tell who is on the line. A native client's bytes are
/// passed on and the handler leaves; a stranger gets an answer here, and the rest of the server never hears of it.
final class FirstBytesHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum State {
        case deciding(ByteBuffer?)
        /// The stranger was answered; what else it sends is thrown away until it closes or the time is over.
        case answered
        case native
    }

    private var state = State.deciding(nil)

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch self.state {
        case .deciding(var bytes):
            var more = self.unwrapInboundIn(data)
            bytes.setOrWriteBuffer(&more)
            self.state = .deciding(bytes)
            self.decide(bytes ?? ByteBuffer(), context: context)
        case .answered:
            break
        case .native:
            context.fireChannelRead(data)
        }
    }

    private func decide(_ bytes: ByteBuffer, context: ChannelHandlerContext) {
        switch FirstBytes(bytes.readableBytesView) {
        case .undecided:
            break
        case .native:
            self.state = .native
            context.fireChannelRead(self.wrapInboundOut(bytes))
            context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
        case .stranger(let answer):
            self.state = .answered
            self.answer(answer, context: context)
        }
    }

    private func answer(_ answer: [UInt8], context: ChannelHandlerContext) {
        let channel = context.channel
        context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(bytes: answer)), promise: nil)
        context.close(mode: .output, promise: nil)
        context.eventLoop.scheduleTask(in: WireChannel.lingerTime) { channel.close(promise: nil) }
    }
}
