import FxferProtocol
import NIOCore
import NIOSSL
import Testing

@testable import Fxfer

@Suite("What a user is told of TLS")
struct TLSFailureTests {
    private static let server = Endpoint(host: "example.org", port: 3000)

    private static func error(_ error: any Error) -> FxferError {
        TLSFailure.error(for: error, Self.server)
    }

    @Test("an error of fxfer's own stays as it is")
    func own() {
        let error = Self.error(FxferError(.notPermitted, "no"))
        #expect(error.code == .notPermitted)
        #expect(error.message == "no")
    }

    @Test("a connection that ends in the middle may be tried again")
    func ends() {
        for error in [NIOSSLError.uncleanShutdown, .handshakeFailed(.syscallError)] as [NIOSSLError] {
            #expect(Self.error(error).isTemporary)
        }
        #expect(Self.error(ChannelError.ioOnClosedChannel).isTemporary)
    }

    @Test("a certificate for another name is not believed, and a handshake that fails is not tried again")
    func refusals() {
        #expect(Self.error(NIOSSLExtraError.failedToValidateHostname).code == .notPermitted)
        #expect(Self.error(NIOSSLError.handshakeFailed(.wantX509Lookup)).code == .protocolViolation)
        #expect(!Self.error(NIOSSLError.handshakeFailed(.wantX509Lookup)).isTemporary)
    }
}
