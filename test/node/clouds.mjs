// Uses the official SDKs of the clouds, each set to another address, with our
// credential in place of the cloud's. Standard input is a list of
// {format, url, key, model}; standard output one line of JSON with what each got.
import { AnthropicBedrock } from '@anthropic-ai/bedrock-sdk';
import { AnthropicFoundry } from '@anthropic-ai/foundry-sdk';
import { AnthropicVertex } from '@anthropic-ai/vertex-sdk';
import Anthropic from '@anthropic-ai/sdk';

const clients = {
  messages: ({ url, key }) => new Anthropic({ baseURL: url, apiKey: key, maxRetries: 0 }),
  bedrock: ({ url, key }) => new AnthropicBedrock({ baseURL: `${url}/bedrock`, apiKey: key, awsRegion: 'eu-central-1', maxRetries: 0 }),
  vertex: ({ url, key }) =>
    new AnthropicVertex({
      baseURL: `${url}/vertex/v1`,
      region: 'eu',
      projectId: 'my-project',
      authClient: { projectId: 'my-project', getRequestHeaders: async () => new Headers({ authorization: `Bearer ${key}` }) },
      maxRetries: 0,
    }),
  foundry: ({ url, key }) => new AnthropicFoundry({ baseURL: `${url}/foundry/anthropic`, apiKey: key, maxRetries: 0 }),
};

const text = (message) => message.content.map((block) => block.text ?? '').join('');

async function use(job) {
  try {
    const client = clients[job.format](job);
    const question = {
      model: job.model,
      max_tokens: 7,
      system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }],
      messages: [{ role: 'user', content: 'hi' }],
    };
    const whole = await client.messages.create(question);
    let deltas = 0;
    let streamed = '';
    let output = 0;
    let stop = '';
    let input = 0;
    for await (const event of await client.messages.create({ ...question, stream: true })) {
      if (event.type === 'message_start') input = event.message.usage.input_tokens;
      if (event.type === 'content_block_delta') {
        deltas++;
        streamed += event.delta.text;
      }
      if (event.type === 'message_delta') {
        output = event.usage.output_tokens;
        stop = event.delta.stop_reason;
      }
    }
    let refused = 0;
    try {
      await clients[job.format]({ ...job, key: 'nobody' }).messages.create(question);
    } catch (error) {
      refused = error.status ?? 0;
    }
    return {
      whole: text(whole),
      stop: whole.stop_reason,
      input: whole.usage.input_tokens,
      output: whole.usage.output_tokens,
      streamed,
      deltas,
      streamedStop: stop,
      streamedInput: input,
      streamedOutput: output,
      refused,
    };
  } catch (error) {
    return { error: `${error.status ?? ''} ${error.message}` };
  }
}

let input = '';
for await (const chunk of process.stdin) input += chunk;
const got = [];
for (const job of JSON.parse(input)) got.push(await use(job));
console.log(JSON.stringify(got));
