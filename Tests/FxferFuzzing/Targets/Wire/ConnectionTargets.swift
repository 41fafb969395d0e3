import NIOCore

@testable import Fxfer
@testable import FxferLegacy
@testable import FxferNetwork

extension FuzzTarget {
    /// The first bytes of a connection are judged once: what comes later changes nothing.
    ///
    /// Input: a byte for what the server speaks, the bytes.
    static let firstBytes = FuzzTarget(
        "first-bytes",
        maxLength: 64,
        seeds: ["GET / HTTP/1.1", "SSH-2.0", "\u{16}\u{3}\u{1}", "hello", "\r\n"].map { [3] + Array($0.utf8) }
            + Testdata.wireStreams.prefix(2).map { [0] + $0.prefix(10) }
    ) { bytes in
        var input = FuzzInput(bytes)
        let kinds = input.byte()
        let opening = kinds & 2 == 0 ? nil : Array("hello world".utf8)
        let all = Array(input.rest)
        var judgement = FirstBytes.undecided
        for count in 0...all.count {
            let next = FirstBytes(all.prefix(count), speaksTLS: kinds & 1 == 1, guestOpening: opening)
            try require(judgement == .undecided || judgement == next, "\(judgement) becomes \(next)")
            judgement = next
        }
        try require(judgement != .undecided || all.count < 12, "12 bytes are not enough to tell")
    }

    /// A server's name is read as it was written.
    ///
    /// Input: the text.
    static let endpoint = FuzzTarget(
        "endpoint",
        maxLength: 128,
        seeds: [
            "host", "host:3000", "[::1]:80", "::1", "127.0.0.1:1", "[a]", "a:0", "a:+1", "[::1]x", "1234",
            "[fe80::1%lo]:1", "a]:1", "[[a]", "a:65536", ":1", "[]:1", "e\u{301}:1",
        ].map { Array($0.utf8) }
    ) { bytes in
        let text = String(decoding: bytes, as: UTF8.self)
        guard let endpoint = Endpoint(parsing: text) else { return }
        try require((1...65_535).contains(endpoint.port), "port \(endpoint.port) is taken")
        try require(
            endpoint.host.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } && !endpoint.host.isEmpty,
            "a host has other characters than those of names"
        )
        try require(Endpoint(parsing: endpoint.description) == endpoint, "\(endpoint) is not read back")
    }

    /// The thanks at the end of a stream are told from the file before it, however it comes in.
    ///
    /// Input: the length of the thanks, the thanks, and pieces with their lengths.
    static let trailer = FuzzTarget(
        "trailer",
        maxLength: 256,
        seeds: [[3, 1, 2, 3, 2, 1, 2, 4, 3, 1, 2, 3], [0, 1, 1], [2, 1, 1, 1, 1, 1, 1, 3, 1, 1, 1]]
    ) { bytes in
        var input = FuzzInput(bytes)
        let trailer = input.bytes(input.choice(8))
        var splitter = TrailerSplitter(trailer: trailer)
        var (all, certain): ([UInt8], [UInt8]) = ([], [])
        while !input.isEmpty {
            let piece = input.bytes(input.choice(12))
            all += piece
            certain += splitter.push(ByteBuffer(bytes: piece)).flatMap { Array($0.readableBytesView) }
            try require(all.starts(with: certain), "the file is another one")
            try require(certain.count == max(0, all.count - trailer.count), "more or less is held back than the thanks")
        }
        let end = splitter.finish()
        try require(certain + Array(end.tail.readableBytesView) == all, "the stream is another one")
        let isThanked = all.count >= trailer.count && all.suffix(trailer.count) == trailer[...]
        try require(end.isTrailer == isThanked, "the thanks are taken for others")
    }
}
