import FxferProtocol
import NIOCore
import Testing

@Suite("The worked session of the specification")
struct WorkedSessionTests {
    private static let content = Array("hello\n".utf8)

    @Test("the sides take turns")
    func turns() throws {
        #expect(try WorkedSession().turns.map(\.isFromClient) == [true, false, true, false, true])
    }

    @Test("the client's bytes make a server say the server's bytes, and store the file")
    func server() throws {
        var server = MemoryServer(filesInFlight: 64, nonce: Nonce(repeating: 0x22))
        for turn in try WorkedSession().turns {
            if turn.isFromClient {
                server.receive(ByteBuffer(bytes: turn.bytes))
            } else {
                #expect(Array(server.takeOutput().readableBytesView) == turn.bytes)
            }
        }
        #expect(server.isGoodbyeSaid)
        #expect(server.failure == nil)
        #expect(server.published == [Array("hello.txt".utf8): FilePrefix(ofContent: Self.content)])
    }

    @Test("the server's bytes make a client say the client's bytes, and believe the receipt")
    func client() throws {
        let attributes = FileAttributes(
            size: 6,
            modified: FileTime(seconds: 1_700_000_000, nanoseconds: 0),
            permissions: 0o644
        )
        let source = MemoryClient.Source("hello.txt", Self.content, attributes)
        var client = MemoryClient([source], chunkSize: 1 << 20, nonce: Nonce(repeating: 0x11))
        for turn in try WorkedSession().turns {
            if turn.isFromClient {
                client.advance()
                #expect(Array(client.takeOutput().readableBytesView) == turn.bytes)
            } else {
                client.receive(ByteBuffer(bytes: turn.bytes))
            }
        }
        #expect(client.failure == nil)
        #expect(client.receipts.keys.map { $0 } == [source.path])
        #expect(client.takeOutput().readableBytes == 0)
    }
}
