import NIOCore
import NIOTLS

/// What a connection brings in.
enum WirePart: Sendable {
    /// Bytes as the socket had them.
    case bytes(ByteBuffer)
    /// From here on the connection is TLS's; a client is told what the server showed.
    case secured(ServerCertificate?)
    /// The client speaks the guest's protocol; nothing comes after this.
    case guest

    /// How many bytes of the connection it holds.
    var byteCount: Int {
        switch self {
        case .bytes(let bytes): bytes.readableBytes
        case .secured, .guest: 0
        }
    }
}

/// Told to a client's handlers behind TLS when the server has shown who it is.
struct Secured {
    let certificate: ServerCertificate
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
        switch event {
        case is GuestArrived:
            self.pass(.guest, context)
        case let secured as Secured:
            self.pass(.secured(secured.certificate), context)
        case TLSUserEvent.handshakeCompleted:
            self.pass(.secured(nil), context)
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    private func pass(_ part: WirePart, _ context: ChannelHandlerContext) {
        context.fireChannelRead(self.wrapInboundOut(part))
        context.fireChannelReadComplete()
    }
}
