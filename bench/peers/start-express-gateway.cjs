// node start-express-gateway.cjs FOLDER: with the configuration in that folder, which listens on loopback and has no admin API.
require('express-gateway')().load(process.argv[2]).run()
