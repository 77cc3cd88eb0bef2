/** Preloaded into the Provider framework: sends what it answers to CloudFormation to the test's server instead. */
const http = require('node:http')
const https = require('node:https')
const { env } = require('node:process')

const { hostname, port } = new URL(env.TEST_RESPONSE_ENDPOINT)
const httpsRequest = https.request

https.request = (options, ...rest) =>
  String(options.hostname).startsWith('cloudformation-custom-resource-response-')
    ? http.request({ ...options, hostname, port }, ...rest)
    : httpsRequest(options, ...rest)
