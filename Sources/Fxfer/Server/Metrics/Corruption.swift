/// Damage on the way to this side, as ``ServerMetric/corruptChunks`` counts it.
struct Corruption: Hashable {
    /// Where the bytes came from.
    enum Peer: String, CaseIterable {
        case sameMachine = "same-machine"
        case remote
    }

    /// What found the damage, from the outside in.
    enum Cause: String, CaseIterable {
        /// A TLS record that is not what was sealed. The connection is over.
        case tls
        /// The checksum of a frame's header or body. The connection is over.
        case frame
        /// The running digest of a chunk. It is asked for again, or its file is given up.
        case digest
    }

    let peer: Peer
    let cause: Cause

    static let all = Peer.allCases.flatMap { peer in
        Cause.allCases.map { Corruption(peer: peer, cause: $0) }
    }

    var dimensions: [(String, String)] {
        [("peer", self.peer.rawValue), ("cause", self.cause.rawValue)]
    }
}
