import NIOCore

/// Told to the handlers behind when a guest's client is on the line.
struct GuestArrived {}

/// Stands first in a server's pipeline until the first bytes tell who is on the line. A native client's bytes are
/// passed on and the handler leaves; a stranger gets an answer here, and the rest of the server never hears of it.
final class FirstBytesHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum State {
        case deciding(ByteBuffer?)
        /// The stranger was answered, or a guest is served: what else comes in is thrown away.
        case deaf
        case native
    }

    private let guestOpening: [UInt8]?
    private var state = State.deciding(nil)

    /// - Parameter guestOpening: what a guest's client says first; nil where there is none.
    init(guestOpening: [UInt8]?) {
        self.guestOpening = guestOpening
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch self.state {
        case .deciding(var bytes):
            var more = self.unwrapInboundIn(data)
            bytes.setOrWriteBuffer(&more)
            self.state = .deciding(bytes)
            self.decide(bytes ?? ByteBuffer(), context: context)
        case .deaf:
            break
        case .native:
            context.fireChannelRead(data)
        }
    }

    private func decide(_ bytes: ByteBuffer, context: ChannelHandlerContext) {
        switch FirstBytes(bytes.readableBytesView, guestOpening: self.guestOpening) {
        case .undecided:
            break
        case .native:
            self.state = .native
            context.fireChannelRead(self.wrapInboundOut(bytes))
            context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
        case .guest:
            self.state = .deaf
            context.fireUserInboundEventTriggered(GuestArrived())
        case .stranger(let answer):
            self.state = .deaf
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
