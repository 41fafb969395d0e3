import FxferNetwork
import FxferProtocol
import NIOCore
import NIOSSL
import NIOTLS

/// The first handler of a client's pipeline: when the connection is there, it decides by the address that was reached
/// whether TLS is spoken on it. There is no way back from that decision.
final class ClientTransport: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let context: NIOSSLContext
    private let security: ClientSecurity
    private let server: Endpoint
    private let verification: ServerVerification
    private var usesTLS = false

    init(_ context: NIOSSLContext, _ security: ClientSecurity, to server: Endpoint) {
        self.context = context
        self.security = security
        self.server = server
        self.verification = ServerVerification(security.trust, of: server)
    }

    func channelActive(context: ChannelHandlerContext) {
        if !self.mayBePlain(context.channel) {
            self.usesTLS = true
            do {
                let pipeline = context.pipeline.syncOperations
                try pipeline.addHandler(self.makeTLS(), position: .before(self))
                try TLSPortions.add(to: context.channel, after: self)
            } catch {
                self.errorCaught(context: context, error: error)
                context.close(promise: nil)
            }
        }
        context.fireChannelActive()
    }

    private func mayBePlain(_ channel: any Channel) -> Bool {
        if self.security.allowsPlaintext { return true }
        return !self.security.trust.holdsOnOwnMachine && SameMachine.isSameMachine(channel)
    }

    private func makeTLS() throws -> NIOSSLClientHandler {
        guard self.verification.judgesKeys else {
            // An address is looked for in the certificate, too, but never sent as a name.
            let name = self.server.isAddress ? nil : self.server.host
            return try NIOSSLClientHandler(context: self.context, serverHostname: name)
        }
        return try NIOSSLClientHandler(
            context: self.context,
            serverHostname: nil,
            customVerificationCallback: self.verification.verify
        )
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .handshakeCompleted = event as? TLSUserEvent else {
            return context.fireUserInboundEventTriggered(event)
        }
        do {
            guard let certificate = try context.pipeline.syncOperations.nioSSL_peerCertificate() else {
                throw NIOSSLError.noCertificateToValidate
            }
            context.fireUserInboundEventTriggered(Secured(certificate: try ServerCertificate(certificate)))
        } catch {
            self.errorCaught(context: context, error: error)
            context.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard self.usesTLS else { return context.fireErrorCaught(error) }
        context.fireErrorCaught(self.verification.failure ?? TLSFailure.error(for: error, self.server))
    }
}
