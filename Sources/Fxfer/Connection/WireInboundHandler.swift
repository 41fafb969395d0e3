import NIOCore

/// What a connection brings in.
enum WirePart: Sendable {
    /// Bytes as the socket had them.
    case bytes(ByteBuffer)
    /// The client speaks the guest's protocol; nothing comes after this.
    case guest
}

/// Hands incoming bytes on as they are. They are cut into frames by the owner of the connection, one frame at a time:
/// so what waits in memory is never more than the bytes themselves, however small the frames are.
final class WireInboundHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = WirePart

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.fireChannelRead(self.wrapInboundOut(.bytes(self.unwrapInboundIn(data))))
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
