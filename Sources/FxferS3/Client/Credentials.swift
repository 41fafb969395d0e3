import FxferProtocol
import FxferStorage

/// What a store knows its user by.
package struct Credentials: Hashable, Sendable {
    package let accessKey: String
    package let secretKey: String
    package let sessionToken: String?

    package init(accessKey: String, secretKey: String, sessionToken: String? = nil) {
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.sessionToken = sessionToken
    }
}

extension Credentials: CustomStringConvertible, CustomReflectable {
    /// The secret is in no log, whoever writes the value into one.
    package var description: String { "credentials" }
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// Where credentials come from, as all programs for AWS have it: the environment, else a file.
package struct CredentialsSource: Sendable {
    private let environment: [String: String]

    /// - Parameter environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN; else AWS_PROFILE and
    ///   AWS_SHARED_CREDENTIALS_FILE, or `~/.aws/credentials`.
    package init(_ environment: [String: String]) {
        self.environment = environment
    }

    /// The file that is read; nil where the environment has them.
    package var file: String? {
        guard self.value("AWS_ACCESS_KEY_ID") == nil, self.value("AWS_SECRET_ACCESS_KEY") == nil else { return nil }
        return self.value("AWS_SHARED_CREDENTIALS_FILE") ?? self.value("HOME").map { "\($0)/.aws/credentials" }
    }

    /// Reads them, also again: what a file says may change while a server runs.
    ///
    /// - Throws: `.notPermitted` where there are none, or not all of them; `.noInput` where the file cannot be read.
    package func load() throws(FxferError) -> Credentials {
        guard let file = self.file else { return try self.loadFromEnvironment() }
        let profile = self.value("AWS_PROFILE") ?? "default"
        let text: [UInt8]
        do {
            text = try SmallFile.read(Array(file.utf8), limit: 1 << 20)
        } catch {
            // One that nobody has named need not be there.
            guard self.value("AWS_SHARED_CREDENTIALS_FILE") == nil else { throw error }
            throw Self.isMissing
        }
        let values = Self.section(profile, of: String(decoding: text, as: UTF8.self))
        guard let key = values["aws_access_key_id"], let secret = values["aws_secret_access_key"],
            Self.isFit(key), Self.isFit(secret)
        else {
            throw FxferError(
                .notPermitted,
                "'\(EscapedText.escape(file))' has no key for the profile '\(EscapedText.escape(profile))': it takes "
                    + "aws_access_key_id and aws_secret_access_key"
            )
        }
        let token = values["aws_session_token"]
        guard token.map(Self.isFit) ?? true else {
            throw FxferError(
                .notPermitted,
                "'\(EscapedText.escape(file))' has an aws_session_token for the profile '\(EscapedText.escape(profile))' "
                    + "that is none: it takes printable ASCII, without spaces"
            )
        }
        return Credentials(accessKey: key, secretKey: secret, sessionToken: token)
    }

    private func loadFromEnvironment() throws(FxferError) -> Credentials {
        guard let key = self.value("AWS_ACCESS_KEY_ID"), let secret = self.value("AWS_SECRET_ACCESS_KEY"),
            Self.isFit(key), Self.isFit(secret)
        else { throw Self.isMissing }
        let token = self.value("AWS_SESSION_TOKEN")
        guard token.map(Self.isFit) ?? true else {
            throw FxferError(.notPermitted, "AWS_SESSION_TOKEN is no token: it takes printable ASCII, without spaces")
        }
        return Credentials(accessKey: key, secretKey: secret, sessionToken: token)
    }

    private static var isMissing: FxferError {
        FxferError(
            .notPermitted,
            "no key for the object store: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a file in "
                + "AWS_SHARED_CREDENTIALS_FILE"
        )
    }

    /// What `~/.aws/config` (AWS_CONFIG_FILE) says of the profile: `region`, `endpoint_url`; nil where it says nothing.
    ///
    /// - Throws: `.noInput` where a file that was named cannot be read.
    package func setting(_ name: String) throws(FxferError) -> String? {
        let named = self.value("AWS_CONFIG_FILE")
        guard let file = named ?? self.value("HOME").map({ "\($0)/.aws/config" }) else { return nil }
        let text: [UInt8]
        do {
            text = try SmallFile.read(Array(file.utf8), limit: 1 << 20)
        } catch {
            guard named == nil else { throw error }
            return nil
        }
        let profile = self.value("AWS_PROFILE") ?? "default"
        let section = profile == "default" ? profile : "profile \(profile)"
        return Self.section(section, of: String(decoding: text, as: UTF8.self))[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    private func value(_ name: String) -> String? {
        self.environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// They travel in a header.
    private static func isFit(_ value: String) -> Bool {
        !value.isEmpty && value.utf8.allSatisfy { (0x21..<0x7F).contains($0) }
    }

    /// The values of a section of an INI file.
    static func section(_ name: String, of text: String) -> [String: String] {
        var values: [String: String] = [:]
        var isInside = false
        for line in text.split(whereSeparator: \.isNewline) {
            let line = line.trimmed
            if line.first == "#" || line.first == ";" { continue }
            if line.first == "[", line.last == "]" {
                isInside = line.dropFirst().dropLast().trimmed == name[...]
            } else if isInside, let equal = line.firstIndex(of: "=") {
                values[line[..<equal].trimmed.lowercased()] = String(line[line.index(after: equal)...].trimmed)
            }
        }
        return values
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var text = self
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
