import FxferProtocol

/// A bucket of a store, and where in it a server's files are.
package struct Bucket: Hashable, Sendable {
    /// How the bucket's name is told to the store.
    package enum Addressing: String, Hashable, Sendable, CaseIterable {
        /// As the first component of the path: what stores other than AWS understand.
        case path
        /// As the first label of the host's name.
        case virtual
    }

    package let name: String
    /// What the keys of all objects begin with: empty, or with a slash at its end.
    package let prefix: [UInt8]
    package let region: String
    /// Without the bucket.
    let isSecure: Bool
    let host: String
    let port: Int
    let addressing: Addressing

    /// - Parameters:
    ///   - location: `s3://BUCKET[/PREFIX]`.
    ///   - endpoint: `http[s]://HOST[:PORT]`; nil for AWS.
    /// - Throws: `.usage`, with a message that says what is wrong.
    package init(
        _ location: String,
        endpoint: String?,
        region: String,
        addressing: Addressing? = nil
    ) throws(FxferError) {
        let scheme = "s3://"
        let text = EscapedText.escape(location)
        guard location.hasPrefix(scheme) else {
            throw FxferError(.usage, "'\(text)' is no place in an object store: s3://BUCKET or s3://BUCKET/PREFIX")
        }
        let parts = location.dropFirst(scheme.count)
            .split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        guard Self.isName(name) else {
            throw FxferError(.usage, "'\(text)' names no bucket: 3 to 63 lower-case letters, digits, dots and hyphens")
        }
        var prefix = parts.count > 1 ? Array(parts[1].utf8) : []
        if prefix.last == UInt8(ascii: "/") { prefix.removeLast() }
        if !prefix.isEmpty {
            do throws(PathRule) {
                _ = try RelativePath(bytes: prefix)
            } catch {
                throw FxferError(.usage, "the prefix of '\(text)' \(error.explanation)")
            }
            guard prefix.count <= Self.longestPrefix, !ObjectNames.isReserved(prefix) else {
                let reason =
                    prefix.count > Self.longestPrefix
                    ? "has more than \(Self.longestPrefix) bytes" : "is a server's own"
                throw FxferError(.usage, "the prefix of '\(text)' \(reason)")
            }
            prefix.append(UInt8(ascii: "/"))
        }
        guard Self.isRegion(region) else {
            throw FxferError(.usage, "'\(EscapedText.escape(region))' is no region")
        }
        let place = try Self.parse(endpoint ?? "https://s3.\(region).amazonaws.com")
        self.name = name
        self.prefix = prefix
        self.region = region
        (self.isSecure, self.host, self.port) = place
        self.addressing = addressing ?? (endpoint == nil ? .virtual : .path)
    }

    /// So that the longest names of its own, and most others, fit into a key.
    private static let longestPrefix = 512

    private static func isName(_ name: String) -> Bool {
        (3...63).contains(name.utf8.count) && name.utf8.allSatisfy { Self.isLabelByte($0) || $0 == UInt8(ascii: ".") }
    }

    static func isRegion(_ name: String) -> Bool {
        (1...63).contains(name.utf8.count) && name.utf8.allSatisfy(Self.isLabelByte)
    }

    private static func isLabelByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
        default: false
        }
    }

    private static func parse(_ endpoint: String) throws(FxferError) -> (isSecure: Bool, host: String, port: Int) {
        let isSecure = endpoint.hasPrefix("https://")
        guard isSecure || endpoint.hasPrefix("http://") else { throw Self.noEndpoint(endpoint) }
        var rest = endpoint.dropFirst(isSecure ? 8 : 7)
        if rest.last == "/" { rest.removeLast() }
        var port = isSecure ? 443 : 80
        // The last colon, unless it is one of an IPv6 address.
        if let colon = rest.lastIndex(of: ":"), rest[colon...].firstIndex(of: "]") == nil {
            let digits = rest[rest.index(after: colon)...]
            guard digits.utf8.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains), let number = UInt16(digits),
                number > 0
            else {
                throw Self.noEndpoint(endpoint)
            }
            port = Int(number)
            rest = rest[..<colon]
        }
        let isFit = rest.utf8.allSatisfy { byte in
            Self.isLabelByte(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_")
                || rest.first == "[" && rest.last == "]" && Array("[]:".utf8).contains(byte)
        }
        guard !rest.isEmpty, isFit else { throw Self.noEndpoint(endpoint) }
        return (isSecure, String(rest), port)
    }

    private static func noEndpoint(_ endpoint: String) -> FxferError {
        var text = endpoint
        // What stands before it may be a password.
        if let at = text.lastIndex(of: "@") {
            text = (text.hasPrefix("https://") ? "https://" : "http://") + "***" + text[at...]
        }
        return FxferError(
            .usage,
            "'\(EscapedText.escape(text))' is no endpoint: http[s]://HOST[:PORT], without a path or a user"
        )
    }
}

extension Bucket {
    /// What stands in the `Host` header, and where connections lead.
    var authority: String {
        let host = self.addressing == .virtual ? "\(self.name).\(self.host)" : self.host
        return self.port == (self.isSecure ? 443 : 80) ? host : "\(host):\(self.port)"
    }

    /// The port of the store, for rules about connections.
    package var servicePort: Int { self.port }

    /// The path of a URL, escaped; of the bucket where there is no key.
    func path(of key: [UInt8]?) -> String {
        let key = PercentEncoding.encode(key ?? [], keepsSlashes: true)
        return self.addressing == .virtual ? "/\(key)" : key.isEmpty ? "/\(self.name)" : "/\(self.name)/\(key)"
    }

    /// Scheme and authority.
    package var origin: String { "\(self.isSecure ? "https" : "http")://\(self.authority)" }
}

extension Bucket: CustomStringConvertible {
    /// `s3://BUCKET/PREFIX`, or `s3://BUCKET`, escaped.
    package var description: String {
        EscapedText.escape(
            Array("s3://\(self.name)".utf8) + (self.prefix.isEmpty ? [] : [0x2F] + self.prefix.dropLast())
        )
    }
}
