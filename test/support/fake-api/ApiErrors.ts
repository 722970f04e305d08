/** Answers that refuse a request, in the words and forms of OpenAI. */
import type { ErrorFault, Rule } from "./Settings.ts"

/** An answer with an error status. */
export interface ApiError {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const json = (
  status: number,
  error: {
    readonly message: string
    readonly type: string
    readonly code: string | null
    readonly param?: string
  },
  headers: Readonly<Record<string, string>> = {}
): ApiError => ({
  status,
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify({ error: { param: null, ...error } })
})

const html = (status: number, title: string): ApiError => ({
  status,
  headers: { "content-type": "text/html" },
  body: `<html>\r\n<head><title>${status} ${title}</title></head>\r\n<body>\r\n<center><h1>${status} ${title}</h1></center>\r\n</body>\r\n</html>\r\n`
})

/** 400. */
export const badRequest = (message: string, param?: string, code: string | null = null): ApiError =>
  json(400, { message, type: "invalid_request_error", code, ...(param === undefined ? {} : { param }) })

/** 401: the key is missing or wrong. */
export const wrongKey = (given: string | undefined): ApiError =>
  given === undefined
    ? json(401, { message: "You didn't provide an API key.", type: "invalid_request_error", code: null })
    : json(401, {
        message: `Incorrect API key provided: ${given.slice(0, 4)}****${given.slice(-2)}.`,
        type: "invalid_request_error",
        code: "invalid_api_key"
      })

/** 404: nobody knows the model. */
export const unknownModel = (model: string): ApiError =>
  json(404, {
    message: `The model \`${model}\` does not exist or you do not have access to it.`,
    type: "invalid_request_error",
    code: "model_not_found"
  })

/** 404: nothing is served there. */
export const unknownPath = (method: string, path: string): ApiError =>
  json(404, { message: `Invalid URL (${method} ${path})`, type: "invalid_request_error", code: null })

/** 400: more tokens than the model can take. */
export const contextTooLong = (limit: number, tokens: number): ApiError =>
  json(400, {
    message: `This model's maximum context length is ${limit} tokens. However, your messages resulted in ${tokens} tokens. Please reduce the length of the messages.`,
    type: "invalid_request_error",
    code: "context_length_exceeded",
    param: "messages"
  })

/** 429 of a limit that is kept. A request that never fits is told no time to come back. */
export const overLimit = (
  kind: "requests" | "tokens",
  tooLarge: boolean,
  retryAfterMs: number,
  headers: Readonly<Record<string, string>>
): ApiError =>
  json(
    429,
    {
      message: tooLarge
        ? "Request too large: it has more tokens than the limit per minute. It must be reduced in order to run successfully."
        : `Rate limit reached for ${kind}. Please try again in ${Math.ceil(retryAfterMs)}ms.`,
      type: kind,
      code: "rate_limit_exceeded"
    },
    tooLarge
      ? headers
      : {
          ...headers,
          "retry-after-ms": String(Math.ceil(retryAfterMs)),
          "retry-after": String(Math.ceil(retryAfterMs / 1000))
        }
  )

const rateLimited = (headers: Readonly<Record<string, string>>): ApiError =>
  json(
    429,
    { message: "Rate limit reached. Please slow down.", type: "requests", code: "rate_limit_exceeded" },
    headers
  )

/** The answer for a planned fault. `now` is epoch milliseconds, for a date to come back at. */
export const plannedError = (
  fault: typeof ErrorFault.Type,
  rule: Rule,
  model: string,
  now: number
): ApiError => {
  const retryAfterMs = rule.retryAfterMs ?? 1000
  switch (fault) {
    case "429":
      return rateLimited({})
    case "429-retry-after-seconds":
      return rateLimited({ "retry-after": String(Math.ceil(retryAfterMs / 1000)) })
    case "429-retry-after-ms":
      return rateLimited({ "retry-after-ms": String(retryAfterMs) })
    case "429-retry-after-date":
      // A date has whole seconds: the next one, so that nobody is asked back too early.
      return rateLimited({
        "retry-after": new Date(Math.ceil((now + retryAfterMs) / 1000) * 1000).toUTCString()
      })
    case "429-insufficient-quota":
      return json(429, {
        message: "You exceeded your current quota, please check your plan and billing details.",
        type: "insufficient_quota",
        code: "insufficient_quota"
      })
    case "401":
      return json(401, {
        message: "Incorrect API key provided.",
        type: "invalid_request_error",
        code: "invalid_api_key"
      })
    case "403":
      return json(403, {
        message: "You are not allowed to use this model.",
        type: "invalid_request_error",
        code: "permission_denied"
      })
    case "404-model-not-found":
      return unknownModel(model)
    case "400":
      return badRequest("The request could not be processed.")
    case "400-context-length":
      return contextTooLong(8192, 9000)
    case "400-response-format":
      return badRequest("response_format is not supported by this server.", "response_format")
    case "400-json-schema":
      return badRequest(
        "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.",
        "response_format"
      )
    case "400-max-completion-tokens":
      return badRequest(
        "Unrecognized request argument supplied: max_completion_tokens",
        "max_completion_tokens"
      )
    case "500":
      return html(500, "Internal Server Error")
    case "502":
      return html(502, "Bad Gateway")
    case "503":
      return html(503, "Service Temporarily Unavailable")
  }
}
