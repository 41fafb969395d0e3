/// The fixed texts, ports and read sizes of the textbook's socket programs. No text ends with a newline.
package enum Textbook {
    /// Said by the greeting server to each client.
    package static let greeting = Array("Got your connection".utf8)
    /// Said by the file client as soon as it is connected.
    package static let fileRequest = Array("Client connected".utf8)
    /// Said by the file server behind the file's last byte.
    package static let fileTrailer = Array("Thank you for connecting".utf8)
    /// Said by the echo server to each new client.
    package static let echoGreeting = Array("Connect".utf8)
    /// Said by the echo server before the bytes that it repeats.
    package static let echoPrefix = Array("Server replies: ".utf8)
    /// Ends an echo client when it is repeated, and a chat when it is sent.
    package static let farewell = Array("windup".utf8)
    /// The file that the file server sends.
    package static let servedFile = "pjfile1.txt"
    /// The file that the file client writes.
    package static let receivedFile = "pjrecfile"

    /// The ports of the four servers.
    package enum Port {
        package static let greeting = 12357
        package static let file = 3000
        package static let echo = 1234
        package static let chat = 1000
    }

    /// What one `recv` of each program asks for, in bytes.
    package enum ReadSize {
        /// Greeting client, file server and file client, and what the echo client reads.
        package static let short = 1024
        /// Echo server and both chat programs.
        package static let long = 2048
    }
}
