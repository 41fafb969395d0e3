import FxferProtocol
import NIOCore
import Testing

/// A client and a server, joined in memory.
struct MemorySession {
    enum Direction: CaseIterable {
        case toServer, toClient
    }

    /// Bits that are flipped on the way.
    struct Damage {
        let direction: Direction
        /// Where in the stream of this direction.
        let offset: Int
        let mask: UInt8
    }

    /// How often the sides may take turns. Each rewinding takes one; a session without damage takes about five.
    private static let maxTurns = 100

    var client: MemoryClient
    var server: MemoryServer
    private let pieces: Pieces
    private let damage: Damage?
    /// All that was sent, damage included.
    private(set) var streams: [Direction: [UInt8]] = [.toServer: [], .toClient: []]

    init(
        _ client: MemoryClient,
        _ server: MemoryServer = MemoryServer(),
        pieces: Pieces = .whole,
        damage: Damage? = nil
    ) {
        self.client = client
        self.server = server
        self.pieces = pieces
        self.damage = damage
    }

    /// Lets the sides talk until neither has anything to say.
    mutating func run() {
        for _ in 0..<Self.maxTurns {
            self.client.advance()
            let question = self.transfer(self.client.takeOutput(), .toServer)
            for piece in question {
                self.server.receive(piece)
            }
            let answer = self.transfer(self.server.takeOutput(), .toClient)
            for piece in answer {
                self.client.receive(piece)
            }
            if question.isEmpty, answer.isEmpty { return }
        }
        Issue.record("the session does not end")
    }

    private mutating func transfer(_ bytes: ByteBuffer, _ direction: Direction) -> [ByteBuffer] {
        var bytes = bytes
        let sent = self.streams[direction]?.count ?? 0
        if let damage, damage.direction == direction, damage.offset >= sent,
            let byte = bytes.getInteger(at: bytes.readerIndex + damage.offset - sent, as: UInt8.self)
        {
            bytes.setInteger(byte ^ damage.mask, at: bytes.readerIndex + damage.offset - sent)
        }
        bytes.withUnsafeReadableBytes { self.streams[direction]?.append(contentsOf: $0) }
        return self.pieces.cut(bytes)
    }

    /// Whether the connection ended by itself on both sides.
    var isSound: Bool {
        self.client.failure == nil && self.server.failure == nil
    }
}

extension [MemoryClient.Source] {
    /// What a server stores when all went well.
    var contents: [[UInt8]: FilePrefix] {
        Dictionary(uniqueKeysWithValues: self.map { ($0.path, $0.prefix(UInt64($0.content.count))) })
    }
}
