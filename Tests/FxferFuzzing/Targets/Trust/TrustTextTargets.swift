import FxferProtocol

@testable import FxferTrust

extension FuzzTarget {
    private static let fingerprint = KeyFingerprint(subjectPublicKeyInfo: [1, 2, 3])

    /// A known host is found, and what is added for an unknown one is found from then on.
    ///
    /// Input: the length of a host's name, the name, the text of the file.
    static let knownHosts = FuzzTarget(
        "known-hosts",
        maxLength: 1024,
        seeds: [
            "h:1 \(Self.fingerprint)\n", "# c\n\n\tH:1  \(Self.fingerprint)= # c\r\nh:1 x",
            "g:1 \(Self.fingerprint)\nh:1\n",
            "h:1 \(Self.fingerprint) x",
        ].map { [3] + Array("h:1".utf8) + Array($0.utf8) }
    ) { bytes in
        var input = FuzzInput(bytes)
        let host = input.bytes(input.choice(32)).map { $0 % 94 + 33 }
        guard let first = host.first, first != UInt8(ascii: "#") else { return }
        let name = String(decoding: host, as: UTF8.self)
        let hosts = KnownHosts(path: Array("known\u{9B}hosts".utf8))
        let text = Array(input.rest)
        do throws(FxferError) {
            if let known = try hosts.fingerprint(of: name, in: text) {
                let lines = text.split(separator: 0x0A, omittingEmptySubsequences: false)
                try? require((1...lines.count).contains(known.line), "there is no line \(known.line)")
                let line = String(decoding: lines[known.line - 1], as: UTF8.self)
                guard line.contains(known.fingerprint.description) else {
                    throw FxferError(.internal, "line \(known.line) is another's")
                }
                return
            }
        } catch {
            try require(error.code == .noInput, "a file of known hosts is refused with \(error)")
            return try requireHarmless(error.message, "the reason")
        }
        let added = text + [0x0A] + host + Array(" \(Self.fingerprint)\n".utf8)
        let known = try hosts.fingerprint(of: name.uppercased(), in: added)
        try require(known?.fingerprint == Self.fingerprint, "a host that was added is not known")
    }

    /// A list of tokens is read as it was written, and no error tells a token.
    ///
    /// Input: the text of the file.
    static let tokenList = FuzzTarget(
        "token-list",
        maxLength: 2048,
        seeds: [
            "abcdefghijklmnopqrstuvwxyz\n",
            "a:abcdefghijklmnopqrstuvwxyz:upload,read\r\n# c\n b:zyxwvutsrqponmlkjihgfedcba\n",
            "a:b:c:d", "a:abcdefghijklmnopqrstuvwxyz:fly", "a:short", "\u{E9}:abcdefghijklmnopqrstuvwxyz",
        ].map { Array($0.utf8) }
    ) { bytes in
        let entries: [TokenList.Entry]
        do throws(FxferError) {
            entries = try TokenList.parse(bytes, path: "tokens").entries
        } catch {
            try requireHarmless(error.message, "the reason")
            let words = bytes.split { [0x0A, 0x20, 0x3A, 0x0D].contains($0) }.filter { Token.sizes.contains($0.count) }
            let isTold = words.contains { error.message.utf8.firstRange(of: $0) != nil }
            return try require(!isTold, "an error tells a token")
        }
        try require((1...1000).contains(entries.count), "\(entries.count) tokens are taken")
        try require(Set(entries.map(\.name)).count == entries.count, "a name is there twice")
        try require(Set(entries.map(\.token)).count == entries.count, "a token is there twice")
        let lines = entries.map { "\($0.name):\($0.token.text):\($0.rights)\n" }.joined()
        let areWhole = entries.allSatisfy { TokenList.Entry.isName($0.name) && !$0.rights.isEmpty }
        try require(areWhole, "an entry is not whole")
        try require(
            try TokenList.parse(Array(lines.utf8), path: "tokens").entries == entries,
            "a list is read as another"
        )
    }

    /// A fingerprint is read as it was written.
    ///
    /// Input: the text.
    static let keyFingerprint = FuzzTarget(
        "key-fingerprint",
        maxLength: 64,
        seeds: [Array(Self.fingerprint.description.utf8), Array("\(Self.fingerprint)=".utf8)]
    ) { bytes in
        let text = String(decoding: bytes, as: UTF8.self)
        guard let fingerprint = KeyFingerprint(text) else { return }
        try require([text, text + "="].contains(fingerprint.description + (text.hasSuffix("=") ? "=" : "")), "another")
        try require(KeyFingerprint(fingerprint.description) == fingerprint, "a fingerprint is read as another")
    }
}
