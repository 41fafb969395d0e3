import NIOCore
import NIOSSL

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
        /// Somebody behind takes it from here.
        case passing
    }

    private let tls: NIOSSLContext?
    private let guestOpening: [UInt8]?
    private var state = State.deciding(nil)

    /// - Parameters:
    ///   - tls: what TLS clients are shown; nil where TLS is not spoken, or not again.
    ///   - guestOpening: what a guest's client says first; nil where there is none.
    init(tls: NIOSSLContext?, guestOpening: [UInt8]?) {
        self.tls = tls
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
        case .passing:
            context.fireChannelRead(data)
        }
    }

    private func decide(_ bytes: ByteBuffer, context: ChannelHandlerContext) {
        let verdict = FirstBytes(bytes.readableBytesView, speaksTLS: self.tls != nil, guestOpening: self.guestOpening)
        switch verdict {
        case .undecided:
            break
        case .native:
            self.pass(bytes, context: context)
        case .tls:
            self.secure(bytes, context: context)
        case .guest:
            self.state = .deaf
            context.fireUserInboundEventTriggered(GuestArrived())
        case .stranger(let answer):
            self.state = .deaf
            self.answer(answer, context: context)
        }
    }

    private func pass(_ bytes: ByteBuffer, context: ChannelHandlerContext) {
        self.state = .passing
        context.fireChannelRead(self.wrapInboundOut(bytes))
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }

    /// Puts TLS in this handler's place, and another one like it behind TLS. A guest speaks no TLS.
    private func secure(_ bytes: ByteBuffer, context: ChannelHandlerContext) {
        guard let tls = self.tls else { preconditionFailure("TLS is told apart only where it is spoken") }
        do {
            let pipeline = context.pipeline.syncOperations
            try pipeline.addHandler(FirstBytesHandler(tls: nil, guestOpening: nil), position: .after(self))
            try TLSPortions.add(to: context.channel, after: self)
            try pipeline.addHandler(NIOSSLServerHandler(context: tls), position: .after(self))
            self.pass(bytes, context: context)
            context.fireChannelReadComplete()
        } catch {
            context.fireErrorCaught(error)
            context.close(promise: nil)
        }
    }

    private func answer(_ answer: [UInt8], context: ChannelHandlerContext) {
        let channel = context.channel
        context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(bytes: answer)), promise: nil)
        context.close(mode: .output, promise: nil)
        let closing = context.eventLoop.scheduleTask(in: WireChannel.lingerTime) { channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in closing.cancel() }
    }
}
