import FxferProtocol
import NIOCore

/// What the peer sent, or how it broke the protocol.
enum WirePart: Sendable {
    case event(WireEvent)
    /// Nothing more comes after this: the rest of the stream is thrown away.
    case violation(FxferError)
    /// The client speaks the guest's protocol; nothing comes after this.
    case guest
}

/// Cuts the incoming bytes into wire events. A violation is passed on as a part, not as an error of the channel, so
/// that the owner can still answer it.
final class WireDecodingHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = WirePart

    private var decoder = FrameDecoder()

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.decoder.append(self.unwrapInboundIn(data))
        do {
            var hasHeardAlive = false
            while let event = try self.decoder.next() {
                // Many in one read say no more than one does, and are not worth the memory.
                if event == .frame(.alive) {
                    if hasHeardAlive { continue }
                    hasHeardAlive = true
                }
                context.fireChannelRead(self.wrapInboundOut(.event(event)))
            }
        } catch {
            context.fireChannelRead(self.wrapInboundOut(.violation(error)))
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is GuestArrived {
            context.fireChannelRead(self.wrapInboundOut(.guest))
            context.fireChannelReadComplete()
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }
}
